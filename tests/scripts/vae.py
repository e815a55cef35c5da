"""A variational autoencoder with a convolutional encoder: reparameterisation, and KL in closed form."""

import numpy as np
import torch
from torch import nn, optim
from torch.nn import functional as F
from torch.utils.data import DataLoader


class VAE(nn.Module):
    def __init__(self, latent=4):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 8, kernel_size=3, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(8, 16, kernel_size=3, stride=2, padding=1),
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(16 * 3 * 3, 2 * latent),
        )
        self.fc = nn.Linear(latent, 16 * 3 * 3)
        self.decoder = nn.Sequential(
            nn.Unflatten(1, (16, 3, 3)),
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(16, 8, 3, padding=1),
            nn.ReLU(),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
            nn.Conv2d(8, 1, 3, padding=1),
        )

    def encode(self, x):
        mu, logvar = self.encoder(x).chunk(2, dim=-1)
        return mu, logvar.clamp(-10, 10)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def decode(self, z):
        return torch.sigmoid(self.decoder(F.gelu(self.fc(z))))

    def forward(self, x):
        mu, logvar = self.encode(x)
        z = self.reparameterize(mu, logvar)
        return self.decode(z), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    bce = F.binary_cross_entropy(recon_x, x, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return bce + kld


torch.manual_seed(3)
device = torch.device("cpu")
squares = np.zeros((40, 1, 12, 12), dtype=np.float32)
rng = np.random.default_rng(8)
for square in squares:
    top, left = rng.integers(0, 8, 2)
    square[0, top : top + 4, left : left + 4] = 1
data = torch.tensor(squares)
train_loader = DataLoader(data, batch_size=10, shuffle=True)
model = VAE().to(device)
optimizer = optim.RMSprop(model.parameters(), lr=1e-3)
scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="min", factor=0.5, patience=0)

for epoch in range(1, 5):
    model.train()
    train_loss = 0
    for x in train_loader:
        x = x.to(device)
        optimizer.zero_grad()
        recon_batch, mu, logvar = model(x)
        loss = loss_function(recon_batch, x, mu, logvar)
        loss.backward()
        train_loss += loss.item()
        optimizer.step()
    scheduler.step(train_loss / len(train_loader.dataset))
    print(f"====> Epoch: {epoch} Average loss: {train_loss / len(train_loader.dataset):.12f}")

with torch.inference_mode():
    sample = model.decode(torch.randn(6, 4, device=device)).view(6, 12, 12)
    mu, logvar = model.encode(data)
    print(f"samples: {sample.mean():.12f} {sample.std():.12f}")
    print("latent:", " ".join(f"{value:.12f}" for value in mu.mean(dim=0).tolist()))
torch.save(model.state_dict(), "model.pt")

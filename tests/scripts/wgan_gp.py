"""WGAN with a gradient penalty: the loss contains a gradient, which is differentiated again."""

import numpy as np
import torch
import torch.autograd as autograd
import torch.nn as nn


class Generator(nn.Module):
    def __init__(self, latent_dim, img_shape):
        super().__init__()
        self.img_shape = img_shape

        def block(in_feat, out_feat, normalize=True):
            layers = [nn.Linear(in_feat, out_feat, bias=not normalize)]
            if normalize:
                layers.append(nn.BatchNorm1d(out_feat, 0.8))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            return layers

        self.model = nn.Sequential(
            *block(latent_dim, 16, normalize=False),
            *block(16, 32),
            nn.Linear(32, int(np.prod(img_shape))),
            nn.Tanh(),
        )

    def forward(self, z):
        img = self.model(z)
        return img.view(img.shape[0], *self.img_shape)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1, bias=False),
            nn.InstanceNorm2d(8, affine=True),
            nn.LeakyReLU(0.2),
            nn.Conv2d(8, 16, 3, stride=2, padding=1),
            nn.ELU(),
        )
        self.classifier = nn.Linear(16 * 2 * 2, 1)

    def forward(self, img):
        return self.classifier(self.features(img).flatten(start_dim=1))


def compute_gradient_penalty(critic, real_samples, fake_samples):
    alpha = torch.rand(real_samples.size(0), 1, 1, 1, device=real_samples.device)
    interpolates = (alpha * real_samples + ((1 - alpha) * fake_samples)).requires_grad_(True)
    d_interpolates = critic(interpolates)
    gradients = autograd.grad(
        outputs=d_interpolates,
        inputs=interpolates,
        grad_outputs=torch.ones_like(d_interpolates),
        create_graph=True,
        retain_graph=True,
        only_inputs=True,
    )[0]
    gradients = gradients.view(gradients.size(0), -1)
    return ((gradients.norm(2, dim=1) - 1) ** 2).mean()


torch.manual_seed(11)
latent_dim, img_shape, n_critic, lambda_gp = 6, (1, 8, 8), 2, 10
generator, critic = Generator(latent_dim, img_shape), Critic()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9))
optimizer_D = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.9))
rng = np.random.default_rng(1)

for step in range(6):
    real_imgs = torch.from_numpy(np.tanh(rng.standard_normal((8, *img_shape))).astype(np.float32))
    optimizer_D.zero_grad()
    z = torch.randn((real_imgs.shape[0], latent_dim))
    fake_imgs = generator(z).detach()
    penalty = compute_gradient_penalty(critic, real_imgs, fake_imgs)
    d_loss = -torch.mean(critic(real_imgs)) + torch.mean(critic(fake_imgs)) + lambda_gp * penalty
    d_loss.backward()
    optimizer_D.step()
    if step % n_critic == 0:
        for p in critic.parameters():
            p.requires_grad = False
        optimizer_G.zero_grad()
        g_loss = -critic(generator(z)).mean()
        g_loss.backward()
        optimizer_G.step()
        for p in critic.parameters():
            p.requires_grad = True
    print("step %d: D %.12f, G %.12f, penalty %.12f"
          % (step, d_loss.item(), g_loss.item(), penalty.item()))  # fmt: skip

torch.save({f"critic.{k}": v for k, v in critic.state_dict().items()}, "model.pt")

"""A U-Net that segments discs: BCE and Dice, AdamW, clipped gradients."""

import numpy as np
import torch
import torch.nn as nn
from torch import optim
from torch.nn.utils import clip_grad_norm_
from torch.utils.data import DataLoader, TensorDataset


class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding="same", bias=False),
            nn.BatchNorm2d(out_channels),
            nn.LeakyReLU(0.1, inplace=True),
        )

    def forward(self, x):
        return self.block(x)


class UNet(nn.Module):
    def __init__(self, in_channels=1, out_channels=1, features=(8, 16)):
        super().__init__()
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        self.pool = nn.MaxPool2d(kernel_size=2, stride=2)
        for feature in features:
            self.downs.append(DoubleConv(in_channels, feature))
            in_channels = feature
        for feature in reversed(features):
            self.ups.append(nn.ConvTranspose2d(feature * 2, feature, kernel_size=2, stride=2))
            self.ups.append(DoubleConv(feature * 2, feature))
        self.bottleneck = DoubleConv(features[-1], features[-1] * 2)
        self.final_conv = nn.Conv2d(features[0], out_channels, kernel_size=1)

    def forward(self, x):
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
            x = self.pool(x)
        x = self.bottleneck(x)
        for i, skip in zip(range(0, len(self.ups), 2), skips[::-1], strict=True):
            x = self.ups[i](x)
            if x.shape[2:] != skip.shape[2:]:
                x = nn.functional.interpolate(x, size=skip.shape[2:], mode="bilinear", align_corners=False)
            x = self.ups[i + 1](torch.cat((skip, x), dim=1))
        return self.final_conv(x)


class DiceBCELoss(nn.Module):
    def __init__(self, smooth=1.0):
        super().__init__()
        self.smooth = smooth
        self.bce = nn.BCEWithLogitsLoss()

    def forward(self, logits, targets):
        probs = torch.sigmoid(logits).contiguous().view(-1)
        targets = targets.contiguous().view(-1)
        intersection = (probs * targets).sum()
        dice = 1 - (2.0 * intersection + self.smooth) / (probs.sum() + targets.sum() + self.smooth)
        return dice + self.bce(logits, targets.view_as(logits))


@torch.no_grad()
def evaluate(model, loader, device):
    model.eval()
    inter = union = 0
    for images, masks in loader:
        preds = (torch.sigmoid(model(images.to(device))) > 0.5).float()
        masks = masks.to(device)
        inter += torch.logical_and(preds.bool(), masks.bool()).sum().item()
        union += torch.logical_or(preds.bool(), masks.bool()).sum().item()
    model.train()
    return inter / max(union, 1)


def discs(count, height=20, width=18):
    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[:height, :width]
    masks = np.zeros((count, 1, height, width), np.float32)
    for mask in masks:
        y, x, radius = rng.integers(4, height - 4), rng.integers(4, width - 4), rng.integers(2, 5)
        mask[0] = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
    images = masks + rng.normal(0, 0.4, masks.shape)
    return torch.tensor(images, dtype=torch.float32), torch.as_tensor(masks)


torch.manual_seed(7)
device = torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")
images, masks = discs(12)
loader = DataLoader(TensorDataset(images, masks), batch_size=4, shuffle=True)
model = UNet().to(device)
loss_fn = DiceBCELoss()
optimizer = optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3)

for epoch in range(3):
    losses = []
    for data, target in loader:
        data = data.to(device=device)
        target = target.float().to(device=device)
        loss = loss_fn(model(data), target)
        optimizer.zero_grad()
        loss.backward()
        norm = clip_grad_norm_(model.parameters(), max_norm=1.0)
        optimizer.step()
        losses.append(loss.detach().cpu())
    scheduler.step()
    print(f"epoch {epoch}: loss {torch.stack(losses).mean().item():.12f}, last norm {norm.item():.12f}")

iou = evaluate(model, loader, device)
assert 0 <= iou <= 1
model.cpu()
torch.save(model.state_dict(), "model.pt")

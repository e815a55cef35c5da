"""Turns of phrase that scripts are full of: Gram matrices, averaged weights, schedules by hand."""

import copy
from collections import OrderedDict

import numpy as np
import torch
import torch.backends.cudnn as cudnn
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor, optim
from torch.nn import Parameter

torch.manual_seed(5)
torch.cuda.manual_seed_all(5)
cudnn.deterministic = True
cudnn.benchmark = False
torch.backends.cudnn.enabled = True
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
use_cuda = device.type == "cuda"
rng = np.random.default_rng(4)


def show(name: str, *values: Tensor):
    for value in values:
        numbers = value.detach().cpu().numpy().ravel() if torch.is_tensor(value) else [value]
        print(name, " ".join(f"{float(x):.10f}" for x in numbers))


def gram_matrix(input: Tensor) -> Tensor:
    a, b, c, d = input.size()
    features = input.view(a * b, c * d)
    return torch.mm(features, features.t()).div(a * b * c * d)


class Normalization(nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.mean = mean.clone().detach().view(-1, 1, 1)
        self.std = torch.as_tensor(std, device=mean.device).view(-1, 1, 1)
        self.scale = Parameter(torch.ones(3, 1, 1))
        self.register_buffer("steps", torch.zeros(1, dtype=torch.long))

    def forward(self, img):
        if self.training:
            self.steps += 1
        return self.scale * (img - self.mean) / self.std


mean, std = torch.tensor([0.4, 0.5, 0.6], device=device), np.array([0.2, 0.3, 0.4], dtype=np.float32)
model = nn.Sequential(
    OrderedDict(
        [
            (
                "norm",
                Normalization(mean, std),
            ),
            ("conv", nn.Conv2d(3, 4, 3, stride=2, padding=1)),
            ("act", nn.PReLU()),
            ("pool", nn.AvgPool2d(2)),
            ("flat", nn.Flatten()),
            ("fc", nn.Linear(16, 4)),
        ]
    )
).to(device)
for name, param in model.named_parameters():
    if "bias" in name:
        param.data.fill_(0.01)
    elif param.dim() > 1:
        nn.init.xavier_uniform_(param)
ema = copy.deepcopy(model)
for p in ema.parameters():
    p.requires_grad_(False)

x = torch.from_numpy(rng.random((6, 3, 8, 8)).astype(np.float32)).to(device)
y = torch.tensor([0, 1, 2, 3, 0, 1]).to(device)
optimizer = optim.SGD(
    [
        {"params": model.conv.parameters(), "lr": 0.05},
        {"params": [*model.norm.parameters(), *model.fc.parameters()]},
    ],
    lr=0.1,
    momentum=0.9,
)
best_loss, best_state = float("inf"), copy.deepcopy(model.state_dict())

for step in range(6):
    for phase in ("train", "val"):
        model.train(phase == "train")
        optimizer.zero_grad()
        with torch.set_grad_enabled(phase == "train"):
            out = model(x)
            _, preds = torch.max(out, 1)
            soft = F.one_hot(y, 4).float() * 0.9 + 0.1 / 4
            loss = (
                -(soft * F.log_softmax(out, dim=-1)).sum(dim=1).mean()
                + 0.1 * gram_matrix(out[:, :, None, None]).pow(2).sum()
            )
            if phase == "train":
                loss.backward()
                grads = [p.grad for p in model.parameters() if p.grad is not None]
                total = torch.norm(torch.stack([g.detach().norm(2) for g in grads]), 2)
                nn.utils.clip_grad_value_(model.parameters(), 0.5)
                for group in optimizer.param_groups:
                    group["lr"] *= 0.95
                optimizer.step()
                with torch.no_grad():
                    for p_ema, p in zip(ema.parameters(), model.parameters(), strict=True):
                        p_ema.data.mul_(0.9).add_(p.data, alpha=1 - 0.9)
                show(f"step {step}", loss.item(), total)
            elif loss.item() < best_loss:
                best_loss = loss.item()
                best_state = copy.deepcopy(model.state_dict())
        correct = torch.sum(preds == y.data).double() / len(y)
        assert 0 <= correct.item() <= 1
model.load_state_dict(best_state)
model.eval()
assert model.norm.steps.item() == 6 and int(ema.norm.steps) == 0

with torch.no_grad():
    out = model(x)
    prob, top = F.softmax(out, dim=1).topk(2, dim=1)
    show("top", prob[:, 0], prob.sum(dim=1, keepdim=True).squeeze(1))
    mask = torch.zeros_like(out).scatter_(1, top, 1.0)
    show("mask", (out * mask).sum(), out[mask.bool()].mean(), out.masked_fill(mask == 0, -1e3).logsumexp(1))
    show("ema", torch.cat([p.view(-1) for p in ema.parameters()]).norm(), ema(x).std(dim=0))
    grid = torch.stack(
        torch.meshgrid(torch.arange(3.0), torch.linspace(-1, 1, steps=4), indexing="ij"), dim=-1
    )
    show("grid", torch.cdist(grid.reshape(-1, 2)[:3], grid.reshape(-1, 2)[-2:]))
    confusion = torch.zeros(4, 4, dtype=torch.int64, device=device)
    for t, p in zip(y.view(-1), out.argmax(1).view(-1), strict=True):
        confusion[t.long(), p.long()] += 1
    assert confusion.sum().item() == 6 and confusion.diag().sum() <= 6
    show("iou", (confusion.diag() + 1.0) / (confusion.sum(0) + confusion.sum(1) - confusion.diag() + 1.0))
    counts = torch.bincount(4 * y + out.argmax(1), minlength=16).reshape(4, 4)
    assert torch.equal(counts, confusion)
    patches = x.unfold(2, 4, 4).unfold(3, 4, 4).permute(0, 2, 3, 1, 4, 5).contiguous().view(-1, 3, 4, 4)
    show("patches", patches[5].mean(dim=(1, 2)), patches.amax(dim=(0, 2, 3)), torch.median(patches))
    flipped = torch.flip(x, dims=[3]).roll(shifts=1, dims=2).clamp_(min=0.1, max=0.9)
    show(
        "flipped", flipped[..., ::2, ::3].mean(), (flipped >= 0.5).float().mean(), flipped.var(unbiased=False)
    )
    weight = torch.where(y > 1, torch.full_like(y, 2), torch.ones_like(y)).type(torch.float32)
    show("weighted", F.cross_entropy(out, y, reduction="none").mul(weight).div(weight.sum()).sum())
    show("quantiles", torch.quantile(out, torch.tensor([0.25, 0.5], device=device), dim=0))
    show("products", torch.addcmul(out[0], out[1], out[2], value=0.5))
    picture = np.transpose(np.clip(x[0].cpu().numpy(), 0, 1), (1, 2, 0))
    assert picture.shape == (8, 8, 3) and (picture * 255).astype(np.uint8).max() > 0

torch.save(ema.state_dict(), "model.pt")

"""Time one training step of the slides' U-Net: tinyconv against PyTorch, on this machine.

Each contender runs in a process of its own; they take turns, and the first turn of each is
dropped. Both start from the same weights and images, and their first losses are compared
before anything is timed. Quote the ratio: absolute times depend on what else the machine does.

    python benchmarks/training_step.py --rounds 5 --steps 5
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

WIDTHS, DROPOUTS = (16, 32, 64, 128, 256), (0.1, 0.1, 0.2, 0.2, 0.3)


def batch(size: int, count: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The same images (count, 3, size, size) and masks (count, 1, size, size) for every contender."""
    rng = np.random.default_rng(0)
    images = rng.random((count, 3, size, size), dtype=np.float32)
    return images, (rng.random((count, 1, size, size)) < 0.2).astype(np.float32)


def tinyconv_step(size: int, count: int, threads: int, dropout: bool) -> Callable[[], float]:
    """A training step of `unet_slides` with Adam, binary cross-entropy and Dice."""
    import tinyconv as tc
    import tinyconv.nn.functional as F
    from tinyconv import models

    tc.set_num_threads(threads)
    tc.manual_seed(0)
    model = models.create("unet_slides").train(dropout)
    optimizer = tc.optim.Adam(model.parameters(), lr=1e-3)
    images, masks = (tc.from_numpy(array) for array in batch(size, count))

    def step() -> float:
        optimizer.zero_grad()
        prediction = model(images)
        loss = F.binary_cross_entropy(prediction, masks) + F.dice_loss(prediction, masks)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def torch_step(size: int, count: int, threads: int, dropout: bool) -> Callable[[], float]:
    """The same step in PyTorch: channels_last, eager, fused Adam."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    import tinyconv as tc
    from tinyconv import models

    torch.set_num_threads(threads)
    tc.manual_seed(0)
    weights = {k: torch.from_numpy(v.numpy()) for k, v in models.create("unet_slides").state_dict().items()}

    def double_conv(inputs: int, outputs: int, p: float) -> nn.Sequential:
        first, second = nn.Conv2d(inputs, outputs, 3, padding=1), nn.Conv2d(outputs, outputs, 3, padding=1)
        return nn.Sequential(first, nn.ELU(), nn.Dropout(p), second, nn.ELU())

    class UNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            inputs = (3, *WIDTHS[:-1])
            self.encoder = nn.ModuleList(map(double_conv, inputs, WIDTHS, DROPOUTS))
            pairs = list(zip(WIDTHS[:0:-1], WIDTHS[-2::-1], strict=True))
            self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in pairs)
            self.decoder = nn.ModuleList(
                double_conv(2 * b, b, p) for (_, b), p in zip(pairs, DROPOUTS[-2::-1], strict=True)
            )
            self.head = nn.Conv2d(WIDTHS[0], 1, 1)

        def forward(self, x: Any) -> Any:
            copies = []
            for level, block in enumerate(self.encoder):
                x = block(x if level == 0 else F.max_pool2d(x, 2))
                copies.append(x)
            for up, block, copy in zip(self.up, self.decoder, copies[-2::-1], strict=True):
                x = block(torch.cat([up(x), copy], dim=1))
            return torch.sigmoid(self.head(x))

    model = UNet()
    model.load_state_dict(weights)
    model = model.to(memory_format=torch.channels_last).train(dropout)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    images, masks = (torch.from_numpy(array) for array in batch(size, count))
    images = images.to(memory_format=torch.channels_last)

    def step() -> float:
        optimizer.zero_grad()
        prediction = model(images)
        overlap = 2 * (prediction * masks).sum((2, 3)) + 1
        dice = 1 - overlap / (prediction.sum((2, 3)) + masks.sum((2, 3)) + 1)
        loss = F.binary_cross_entropy(prediction, masks) + dice.mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


CONTENDERS = {"tinyconv": tinyconv_step, "torch": torch_step}


def run_contender(arguments: argparse.Namespace) -> None:
    """In a process of its own: the first loss without dropout, then seconds per step, as one JSON line."""
    make = CONTENDERS[arguments.contender]
    first_loss = make(arguments.size, arguments.batch, arguments.threads, False)()
    step = make(arguments.size, arguments.batch, arguments.threads, True)
    step()
    step()
    seconds = []
    for _ in range(arguments.steps):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"first_loss": first_loss, "seconds": seconds}))


def compare(arguments: argparse.Namespace) -> None:
    """All contenders in turn, `rounds` times; prints medians, spread and the ratio."""
    seconds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    losses: dict[str, float] = {}
    for round_number in range(arguments.rounds + 1):
        for name in CONTENDERS:
            command = [sys.executable, __file__, "--contender", name]
            for option in ("size", "batch", "threads", "steps"):
                command += [f"--{option}", str(getattr(arguments, option))]
            result = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            losses[name] = result["first_loss"]
            if round_number:
                seconds[name] += result["seconds"]
    difference = abs(losses["tinyconv"] - losses["torch"])
    if difference > 1e-4:
        sys.exit(f"the contenders do not compute the same: first losses {losses}")
    size, batch_size, threads = arguments.size, arguments.batch, arguments.threads
    print(f"{platform.machine()}, {threads} threads, batch {batch_size}, {size}x{size}")
    for name, values in seconds.items():
        low, middle, high = (1e3 * f(values) for f in (min, statistics.median, max))
        print(f"{name:9s} {middle:8.1f} ms  (min {low:.1f}, max {high:.1f}, {len(values)} steps)")
    ratio = statistics.median(seconds["torch"]) / statistics.median(seconds["tinyconv"])
    print(f"PyTorch's time / tinyconv's: {ratio:.2f}   (first losses differ by {difference:.1e})")


def main() -> None:
    parser = argparse.ArgumentParser(description="Time one U-Net training step: tinyconv against PyTorch.")
    parser.add_argument("--contender", choices=sorted(CONTENDERS), help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, default=256, help="height and width of the images")
    parser.add_argument("--batch", type=int, default=4, help="images per step")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3, help="turns of each contender that count")
    parser.add_argument("--steps", type=int, default=5, help="timed steps per turn")
    arguments = parser.parse_args()
    run_contender(arguments) if arguments.contender else compare(arguments)


if __name__ == "__main__":
    main()

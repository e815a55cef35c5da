import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import nn

TOLD = "puts out another number of channels"
NOT_TOLD = "a kernel has another size"


class Inception(nn.Module):
    """Four ways in parallel; a ReLU follows each of the six convolutions."""

    def __init__(self, channels, ones, before_threes, threes, before_fives, fives, pooled):
        """Make the six convolutions."""
        super().__init__()
        self.one = nn.Conv2d(channels, ones, 1)
        self.before_three = nn.Conv2d(channels, before_threes, 1)
        self.three = nn.Conv2d(before_threes, fives, 3, padding=1)
        self.before_five = nn.Conv2d(channels, before_fives, 1)
        self.five = nn.Conv2d(before_fives, fives, 5, padding=2)
        self.after_pool = nn.Conv2d(channels, pooled, 1)

    def forward(self, x):
        """Take x (N, channels, H, W), and return (N, ones + threes + fives + pooled, H, W)."""
        one = self.one(x)
        three = self.three(F.relu(self.before_three(x)))
        five = self.five(F.relu(self.before_five(x)))
        pool = self.after_pool(F.max_pool2d(x, 3, stride=1, padding=1))
        return F.relu(tc.cat([one, three, five, pool], dim=1))

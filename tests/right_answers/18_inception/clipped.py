import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import nn


def above_zero(x):
    return x.clamp(min=0)


class Inception(nn.Module):
    def __init__(self, channels, ones, before_threes, threes, before_fives, fives, pooled):
        super().__init__()
        self.one = nn.Conv2d(channels, ones, kernel_size=1)
        self.before_three = nn.Conv2d(channels, before_threes, kernel_size=1)
        self.three = nn.Conv2d(before_threes, threes, kernel_size=3)
        self.before_five = nn.Conv2d(channels, before_fives, kernel_size=1)
        self.five = nn.Conv2d(before_fives, fives, kernel_size=5)
        self.after_pool = nn.Conv2d(channels, pooled, kernel_size=1)

    def forward(self, x):
        y = above_zero(self.one(x))
        for first, second, border in ((self.before_three, self.three, 1), (self.before_five, self.five, 2)):
            inner = F.pad(above_zero(first(x)), (border,) * 4)
            y = tc.cat([y, above_zero(second(inner))], dim=1)
        largest = F.max_pool2d(F.pad(x, (1, 1, 1, 1), value=-1e9), 3, stride=1)
        return tc.cat([y, above_zero(self.after_pool(largest))], dim=1)

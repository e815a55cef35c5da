import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import nn

TOLD = "no ReLU at all"


class Inception(nn.Module):
    def __init__(self, channels, ones, before_threes, threes, before_fives, fives, pooled):
        super().__init__()
        self.one = nn.Conv2d(channels, ones, 1)
        self.before_three = nn.Conv2d(channels, before_threes, 1)
        self.three = nn.Conv2d(before_threes, threes, 3, padding=1)
        self.before_five = nn.Conv2d(channels, before_fives, 1)
        self.five = nn.Conv2d(before_fives, fives, 5, padding=2)
        self.after_pool = nn.Conv2d(channels, pooled, 1)

    def forward(self, x):
        a = self.one(x)
        b = self.three(self.before_three(x))
        c = self.five(self.before_five(x))
        d = self.after_pool(F.max_pool2d(x, 3, stride=1, padding=1))
        return tc.cat([a, b, c, d], dim=1)

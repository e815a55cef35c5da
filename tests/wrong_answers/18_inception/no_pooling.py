import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import nn

TOLD = "the pooling is left out"


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
        a = F.relu(self.one(x))
        b = F.relu(self.three(F.relu(self.before_three(x))))
        c = F.relu(self.five(F.relu(self.before_five(x))))
        d = F.relu(self.after_pool(x))
        return tc.cat([a, b, c, d], dim=1)

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import nn

TOLD = "the channels that come in first"


class Inception(nn.Module):
    def __init__(self, channels, ones, before_threes, threes, before_fives, fives, pooled):
        super().__init__()
        self.one = nn.Conv2d(ones, channels, 1)
        self.before_three = nn.Conv2d(before_threes, channels, 1)
        self.three = nn.Conv2d(threes, before_threes, 3, padding=1)
        self.before_five = nn.Conv2d(before_fives, channels, 1)
        self.five = nn.Conv2d(fives, before_fives, 5, padding=2)
        self.after_pool = nn.Conv2d(pooled, channels, 1)

    def forward(self, x):
        a = F.relu(self.one(x))
        b = F.relu(self.three(F.relu(self.before_three(x))))
        c = F.relu(self.five(F.relu(self.before_five(x))))
        d = F.relu(self.after_pool(F.max_pool2d(x, 3, stride=1, padding=1)))
        return tc.cat([a, b, c, d], dim=1)

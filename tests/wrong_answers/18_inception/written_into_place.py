import tinyconv as tc
from tinyconv import nn

TOLD = "loses the way back for gradients"


class Inception(nn.Module):
    def __init__(self, channels, ones, before_threes, threes, before_fives, fives, pooled):
        nn.Module.__init__(self)
        self.one, self.before_three = nn.Conv2d(channels, ones, 1), nn.Conv2d(channels, before_threes, 1)
        self.three = nn.Conv2d(before_threes, threes, 3, 1, 1)
        self.before_five, self.five = (
            nn.Conv2d(channels, before_fives, 1),
            nn.Conv2d(before_fives, fives, 5, 1, 2),
        )
        self.after_pool = nn.Conv2d(channels, pooled, 1)
        self.ends = [ones, ones + threes, ones + threes + fives, ones + threes + fives + pooled]

    def forward(self, x):
        n, _, h, w = x.shape
        y = tc.zeros(n, self.ends[3], h, w, dtype=x.dtype)
        y[:, : self.ends[0]] = self.one(x).relu()
        y[:, self.ends[0] : self.ends[1]] = self.three(self.before_three(x).relu()).relu()
        y[:, self.ends[1] : self.ends[2]] = self.five(self.before_five(x).relu()).relu()
        y[:, self.ends[2] :] = self.after_pool(nn.functional.max_pool2d(x, (3, 3), (1, 1), (1, 1))).relu()
        return y

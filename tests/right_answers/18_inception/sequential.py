import tinyconv as tc
from tinyconv import nn


class Inception(nn.Module):
    def __init__(self, channels, ones, before_threes, threes, before_fives, fives, pooled):
        super().__init__()
        for name, i, o, k in (
            ("one", channels, ones, 1),
            ("before_three", channels, before_threes, 1),
            ("three", before_threes, threes, 3),
            ("before_five", channels, before_fives, 1),
            ("five", before_fives, fives, 5),
            ("after_pool", channels, pooled, 1),
        ):
            self.add_module(name, nn.Conv2d(i, o, k, padding=k // 2))

    def forward(self, x):
        relu, pool = nn.ReLU(), nn.MaxPool2d(3, 1, 1)
        ways = [
            nn.Sequential(self.one),
            nn.Sequential(self.before_three, relu, self.three),
            nn.Sequential(self.before_five, relu, self.five),
            nn.Sequential(pool, self.after_pool),
        ]
        return relu(tc.cat([way(x) for way in ways], 1))

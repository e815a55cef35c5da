from tinyconv import nn


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
        ways = [
            self.one(x),
            self.three(self.before_three(x).relu()),
            self.five(self.before_five(x).relu()),
            self.after_pool(nn.functional.max_pool2d(x, (3, 3), (1, 1), (1, 1))),
        ]
        padded = [self.in_its_place(way.relu(), end) for way, end in zip(ways, self.ends, strict=True)]
        return padded[0] + padded[1] + padded[2] + padded[3]

    def in_its_place(self, way, end):
        before, after = end - way.shape[1], self.ends[-1] - end
        return nn.functional.pad(way, (0, 0, 0, 0, before, after))

from tinyconv import nn


class ResidualBlock(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        options = {"padding": 1, "bias": False}
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, **options)
        self.conv2 = nn.Conv2d(filters, filters, 3, **options)
        self.norm1, self.norm2 = nn.BatchNorm2d(filters), nn.BatchNorm2d(filters)
        if (channels, stride) != (filters, 1):
            self.shortcut = nn.Conv2d(channels, filters, 1, stride, bias=False)
            self.shortcut_norm = nn.BatchNorm2d(filters)

    def forward(self, x):
        y = self.norm2(self.conv2(self.norm1(self.conv1(x)).relu()))
        y += self.shortcut_norm(self.shortcut(x)) if hasattr(self, "shortcut") else x
        return y.relu()

import tinyconv.nn.functional as F
from tinyconv import nn

TOLD = "where only the stride is not 1"


class ResidualBlock(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)
        self.fits = filters == channels
        if not self.fits:
            self.shortcut = nn.Conv2d(channels, filters, 1, stride=stride, bias=False)
            self.shortcut_norm = nn.BatchNorm2d(filters)

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        if not self.fits:
            x = self.shortcut_norm(self.shortcut(x))
        return F.relu(y + x)

import tinyconv.nn.functional as F
from tinyconv import nn

TOLD = "a kernel has another size"
NOT_TOLD = "conv2 gets"


class ResidualBlock(nn.Module):
    """ReLU(F(x) + x), as in ResNet-18."""

    def __init__(self, channels, filters, stride):
        """Make the layers."""
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)
        self.fits = stride == 1 and filters == channels
        if not self.fits:
            self.shortcut = nn.Conv2d(channels, filters, 1, stride=stride, bias=False)
            self.shortcut_norm = nn.BatchNorm2d(filters)

    def forward(self, x):
        """Take x (N, channels, H, W), and return (N, filters, H', W')."""
        y = F.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        added = x if self.fits else self.shortcut_norm(self.shortcut(x))
        return F.relu(y + added)

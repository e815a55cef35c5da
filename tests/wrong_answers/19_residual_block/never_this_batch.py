import tinyconv.nn.functional as F
from tinyconv import nn

TOLD = "right in evaluation, but in training"


def norm(x, layer):
    return F.batch_norm(x, layer.running_mean, layer.running_var, layer.weight, layer.bias, training=False)


class ResidualBlock(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)
        self.fits = stride == 1 and filters == channels
        if not self.fits:
            self.shortcut = nn.Conv2d(channels, filters, 1, stride=stride, bias=False)
            self.shortcut_norm = nn.BatchNorm2d(filters)

    def forward(self, x):
        y = F.relu(norm(self.conv1(x), self.norm1))
        y = norm(self.conv2(y), self.norm2)
        if not self.fits:
            x = norm(self.shortcut(x), self.shortcut_norm)
        return F.relu(y + x)

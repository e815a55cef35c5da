from tinyconv import nn


class ResidualBlock(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.shortcut = None
        if stride > 1 or channels != filters:
            self.shortcut = nn.Conv2d(channels, filters, 1, stride, 0, bias=False)
            self.shortcut_norm = nn.BatchNorm2d(filters)
        self.relu = nn.ReLU()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)

    def forward(self, x):
        came_in = x
        for layer in (self.conv1, self.norm1, self.relu, self.conv2, self.norm2):
            x = layer(x)
        if self.shortcut is not None:
            came_in = self.shortcut_norm(self.shortcut(came_in))
        return self.relu(came_in + x)

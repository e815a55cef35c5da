"""The place where scripts look for switches of libraries below PyTorch."""

from tinyconv.backends import cuda as cuda
from tinyconv.backends import cudnn as cudnn

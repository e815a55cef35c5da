"""The place where scripts look for switches of libraries below PyTorch, which are not used here."""

from tinyconv.backends import cudnn as cudnn

"""tinyconv and PyTorch on one graphics card: ``python -m benchmarks.gpu``, or ``make bench-gpu``."""

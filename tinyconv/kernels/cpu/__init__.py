"""Fast CPU kernels in Numba: the same names and signatures as in `reference`."""

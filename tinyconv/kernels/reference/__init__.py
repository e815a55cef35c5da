"""The definition of right: every kernel in plain NumPy, written to be read.

The functions use the array's own module, so they run on CuPy arrays too.
"""

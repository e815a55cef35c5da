"""Fast GPU kernels in CUDA C, compiled through CuPy: the same names and signatures as in `reference`.

The sources are the `.cu` files of this folder. They are compiled when a kernel is first
called, never at import, and CuPy keeps the result on disk. What is not here yet runs on the
GPU all the same, by the reference kernel on CuPy arrays.
"""

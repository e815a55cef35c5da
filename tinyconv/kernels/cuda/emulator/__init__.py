"""CUDA without a GPU: kernels run on the processor, arrays by a stand-in for CuPy.

`emulator.h` gives the words of CUDA C++ a meaning in plain C++; `runtime.cpp` runs the threads and
checks each access to memory; `build.py` compiles. `cupy_stand_in.py` takes CuPy's place while
``with emulated_cuda():`` lasts. Nothing here is fast. It is for tests, and for learning.
"""

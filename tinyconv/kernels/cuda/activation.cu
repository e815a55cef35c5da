// Activation functions and their derivatives, one element per thread.
//
// Every kernel is the same walk over memory with another formula in the middle. The walk is a
// grid-stride loop: a grid of any size covers an array of any size, and neighbouring threads
// always touch neighbouring elements, so that a warp's 32 loads become a few wide ones.
//
// forward:   y[i] = formula(x[i], parameter)
// backward:  out[i] = formula(grad[i], saved[i], parameter), saved being y (x for leaky_relu)

template <typename T, typename Formula>
__device__ void map1(const T* x, T* out, long long count, Formula formula) {
  long long step = (long long)gridDim.x * blockDim.x;
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) {
    out[i] = formula(x[i]);
  }
}

template <typename T, typename Formula>
__device__ void map2(const T* grad, const T* saved, T* out, long long count, Formula formula) {
  long long step = (long long)gridDim.x * blockDim.x;
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) {
    out[i] = formula(grad[i], saved[i]);
  }
}

// NaN compares false with everything: each test is written so that a NaN input reaches the output.

template <typename T>
__global__ void relu(const T* x, T* out, long long count, T) {
  map1(x, out, count, [](T v) { return v <= T(0) ? T(0) : v; });
}

template <typename T>
__global__ void relu_backward(const T* grad, const T* y, T* out, long long count, T) {
  map2(grad, y, out, count, [](T g, T v) { return v <= T(0) ? T(0) : g; });
}

template <typename T>
__global__ void leaky_relu(const T* x, T* out, long long count, T slope) {
  map1(x, out, count, [slope](T v) { return v > T(0) ? v : v * slope; });
}

template <typename T>
__global__ void leaky_relu_backward(const T* grad, const T* x, T* out, long long count, T slope) {
  map2(grad, x, out, count, [slope](T g, T v) { return v > T(0) ? g : g * slope; });
}

template <typename T>
__global__ void elu(const T* x, T* out, long long count, T alpha) {
  map1(x, out, count, [alpha](T v) { return v > T(0) ? v : alpha * expm1(v); });
}

template <typename T>
__global__ void elu_backward(const T* grad, const T* y, T* out, long long count, T alpha) {
  map2(grad, y, out, count, [alpha](T g, T v) { return v > T(0) ? g : g * (v + alpha); });
}

template <typename T>
__global__ void sigmoid(const T* x, T* out, long long count, T) {
  map1(x, out, count, [](T v) { return T(1) / (T(1) + exp(-v)); });
}

template <typename T>
__global__ void sigmoid_backward(const T* grad, const T* y, T* out, long long count, T) {
  map2(grad, y, out, count, [](T g, T v) { return g * v * (T(1) - v); });
}

template <typename T>
__global__ void tanh_forward(const T* x, T* out, long long count, T) {
  map1(x, out, count, [](T v) { return tanh(v); });
}

template <typename T>
__global__ void tanh_backward(const T* grad, const T* y, T* out, long long count, T) {
  map2(grad, y, out, count, [](T g, T v) { return g * (T(1) - v * v); });
}

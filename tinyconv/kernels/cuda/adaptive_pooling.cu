// Adaptive pooling: the loops of boxes.cuh, with windows that are cut to fit the image.
//
// Forward, one thread has one channel of one window; backward, one channel of one pixel of the image.
// Means are summed in double, because such a window may be the whole image.
#include "boxes.cuh"

template <typename T>
__global__ void adaptive_max_pool(const T* x, T* y, int* indices, Maps maps) {
  with_lanes<T>(maps.lanes, [&](auto lanes) { largest_of_windows(lanes, x, y, indices, maps, Adaptive()); });
}

template <typename T>
__global__ void adaptive_avg_pool(const T* x, T* y, Maps maps) {
  with_lanes<T>(maps.lanes, [&](auto lanes) { mean_of_windows<double>(lanes, x, y, maps, Adaptive()); });
}

template <typename T>
__global__ void adaptive_avg_pool_backward(const T* grad, T* out, Maps maps) {
  with_lanes<T>(maps.lanes, [&](auto lanes) { collect_from_windows(lanes, grad, out, maps, Adaptive()); });
}

// Resampling along one dimension, and its adjoint: each line of y is a weighted sum of lines of x.
//
// A line is what lies behind one position of the dimension in memory: the channels of a pixel, or a
// whole row of pixels. Which lines make line i, and with which weights, stands in a table, at the places
// from starts[i] to starts[i + 1]:
//
//   linear, 2 to 4 pixels      starts    0     2     4     6     8
//                              sources   0 0   0 1   0 1   1 1
//                              weights   1 0  .75 .25 .25 .75  1 0
//
// The adjoint is the same sum with the table of the other side: for each line the lines it went to.
// No thread writes what another one writes. One thread has one number of y, or what fits into 16 bytes.
#include "rows.cuh"

template <int LANES, typename T>
__device__ void sum_of_lines(
    Lanes<LANES>, const T* x, const int* starts, const int* sources, const T* weights, T* y, int rows,
    int lines_in, int lines_out, long long length) {
  along_rows(rows, length / LANES, [=](int row, long long i) {
    int line = row % lines_out, end = starts[line + 1];
    const T* image = x + row / lines_out * lines_in * length + i * LANES;
    Pack<T, LANES> total = {};
    for (int k = starts[line]; k < end; ++k) {
      Pack<T, LANES> numbers = load<LANES>(image + sources[k] * length);
#pragma unroll
      for (int c = 0; c < LANES; ++c) total.lane[c] += weights[k] * numbers.lane[c];
    }
    store(y + row * length + i * LANES, total);
  });
}

template <typename T>
__global__ void sum_lines(
    const T* x, const int* starts, const int* sources, const T* weights, T* y, long long images,
    long long lines_in, long long lines_out, long long length, long long lanes) {
  with_lanes<T>(lanes, [=](auto each) {
    sum_of_lines(
        each, x, starts, sources, weights, y, (int)(images * lines_out), (int)lines_in, (int)lines_out, length);
  });
}

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
// No thread writes what another one writes. One thread has one number of y.
#include "rows.cuh"

template <typename T>
__global__ void sum_lines(
    const T* x, const int* starts, const int* sources, const T* weights, T* y, long long images,
    long long lines_in, long long lines_out, long long length) {
  along_rows((int)(images * lines_out), length, [=](int row, long long i) {
    int line = row % (int)lines_out, k = starts[line], end = starts[line + 1];
    const T* image = x + row / (int)lines_out * lines_in * length + i;
    T total = 0;
    if (k < end) total = weights[k] * image[sources[k] * length];
    while (++k < end) total += weights[k] * image[sources[k] * length];
    y[row * length + i] = total;
  });
}

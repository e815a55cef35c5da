// Softmax, its logarithm, and the cross-entropy of classes. One warp has one row of scores.
//
//   row of x      s0  s1  s2 ... s31 s32 ...
//   lane          0   1   2      31   0  ...     each lane takes every 32nd score
//
// Three walks over the row: for the largest score m, for the sum of exp(s - m), for the results. The
// second and third find the row in the cache. Between the walks the lanes exchange what they have.
#include "common.cuh"

struct Rows {
  long long count, classes;
};

__device__ inline long long row_of_warp() { return (long long)blockIdx.x * blockDim.y + threadIdx.y; }

template <typename T, typename Term>
__device__ T sum_of_row(long long classes, Term term) {
  T total = 0;
#pragma unroll 4
  for (long long c = threadIdx.x; c < classes; c += 32) total += term(c);
  return warp_sum(total);
}

// A NaN may be missed. It makes the sum of the powers NaN all the same.
template <typename T>
__device__ T largest_of_row(const T* x, long long classes) {
  T best = x[0];
#pragma unroll 4
  for (long long c = threadIdx.x; c < classes; c += 32) best = x[c] > best ? x[c] : best;
  return warp_max(best);
}

template <typename T>
__device__ T sum_of_powers(const T* x, long long classes, T largest) {
  return sum_of_row<T>(classes, [=](long long c) { return exp(x[c] - largest); });
}

template <typename T>
__global__ void softmax(const T* x, T* y, Rows rows) {
  long long row = row_of_warp(), classes = rows.classes;
  if (row >= rows.count) return;
  x += row * classes;
  y += row * classes;
  T largest = largest_of_row(x, classes);
  T total = sum_of_powers(x, classes, largest);
  for (long long c = threadIdx.x; c < classes; c += 32) y[c] = exp(x[c] - largest) / total;
}

template <typename T>
__global__ void log_softmax(const T* x, T* y, Rows rows) {
  long long row = row_of_warp(), classes = rows.classes;
  if (row >= rows.count) return;
  x += row * classes;
  y += row * classes;
  T largest = largest_of_row(x, classes);
  T logarithm = log(sum_of_powers(x, classes, largest));
  for (long long c = threadIdx.x; c < classes; c += 32) y[c] = x[c] - largest - logarithm;
}

template <typename T>
__global__ void softmax_backward(const T* grad, const T* y, T* out, Rows rows) {
  long long row = row_of_warp(), classes = rows.classes, begin = row * classes;
  if (row >= rows.count) return;
  const T *g = grad + begin, *shares = y + begin;
  T total = sum_of_row<T>(classes, [=](long long c) { return g[c] * shares[c]; });
  for (long long c = threadIdx.x; c < classes; c += 32) out[begin + c] = shares[c] * (g[c] - total);
}

template <typename T>
__global__ void log_softmax_backward(const T* grad, const T* y, T* out, Rows rows) {
  long long row = row_of_warp(), classes = rows.classes, begin = row * classes;
  if (row >= rows.count) return;
  const T *g = grad + begin, *logs = y + begin;
  T total = sum_of_row<T>(classes, [=](long long c) { return g[c]; });
  for (long long c = threadIdx.x; c < classes; c += 32) out[begin + c] = g[c] - exp(logs[c]) * total;
}

// ---- cross-entropy -----------------------------------------------------------------------------

__device__ inline bool is_class(long long label, long long classes) { return label >= 0 && label < classes; }

// -log(softmax(x)[label]) = log(sum of powers) - (x[label] - largest); NaN for what is no class.
template <typename T>
__device__ T loss_of_row(const T* x, long long label, long long classes) {
  T largest = largest_of_row(x, classes);
  T total = sum_of_powers(x, classes, largest);
  return is_class(label, classes) ? log(total) - (x[label] - largest) : (T)__int_as_float(0x7fffffff);
}

template <typename T>
__global__ void softmax_nll(const T* x, const long long* labels, T* losses, long long ignored, Rows rows) {
  long long row = row_of_warp();
  if (row >= rows.count) return;
  T loss = 0;
  if (labels[row] != ignored) loss = loss_of_row(x + row * rows.classes, labels[row], rows.classes);
  if (threadIdx.x == 0) losses[row] = loss;
}

// The sum of the losses of a block's rows, and how many they are. Each warp takes row after row; then the
// first thread adds what the eight warps of the block have.
template <typename T>
__global__ void softmax_nll_of_blocks(
    const T* x, const long long* labels, double* sums, long long* counts, long long ignored, Rows rows) {
  __shared__ double all_sums[8];
  __shared__ long long all_counts[8];
  double sum = 0;
  long long count = 0;
  for (long long row = row_of_warp(); row < rows.count; row += (long long)gridDim.x * blockDim.y) {
    if (labels[row] == ignored) continue;
    sum += loss_of_row(x + row * rows.classes, labels[row], rows.classes);
    count += 1;
  }
  if (threadIdx.x == 0) all_sums[threadIdx.y] = sum;
  if (threadIdx.x == 0) all_counts[threadIdx.y] = count;
  __syncthreads();
  if (threadIdx.x > 0 || threadIdx.y > 0) return;
  for (int warp = 1; warp < 8; ++warp) {
    sum += all_sums[warp];
    count += all_counts[warp];
  }
  sums[blockIdx.x] = sum;
  counts[blockIdx.x] = count;
}

// One warp joins the blocks: the sum, or the mean, which is NaN where there is nothing to take it of.
template <typename T>
__global__ void softmax_nll_of_all(
    const double* sums, const long long* counts, T* loss, long long blocks, long long is_mean) {
  double sum = sum_of_row<double>(blocks, [=](long long i) { return sums[i]; });
  long long count = sum_of_row<long long>(blocks, [=](long long i) { return counts[i]; });
  if (threadIdx.x == 0) *loss = (T)(is_mean ? sum / (double)count : sum);
}

// How many labels are not ignored. Whole numbers add up to the same in any order.
__global__ void count_labels(
    const long long* labels, unsigned long long* total, long long ignored, long long count) {
  int mine = 0;
  for_each(count, [&](long long i) { mine += labels[i] != ignored; });
  mine = warp_sum(mine);
  if (threadIdx.x % 32 == 0) atomicAdd(total, (unsigned long long)mine);
}

// grad_i (softmax(x_i) - onehot(labels_i)), NaN for what is no class; `grad` has a number for each row or,
// with step 0, one for all.
// `total` is null, or how many labels the mean was taken of.
template <typename T>
__global__ void softmax_nll_backward(
    const T* grad, const T* x, const long long* labels, const unsigned long long* total, T* out,
    long long step, long long ignored, Rows rows) {
  long long row = row_of_warp(), classes = rows.classes;
  if (row >= rows.count) return;
  long long label = labels[row];
  x += row * classes;
  out += row * classes;
  if (label == ignored) {
    for (long long c = threadIdx.x; c < classes; c += 32) out[c] = 0;
    return;
  }
  T g = total ? grad[row * step] / (T)max(*total, 1ull) : grad[row * step];
  if (!is_class(label, classes)) g = (T)__int_as_float(0x7fffffff);
  T largest = largest_of_row(x, classes);
  T powers = sum_of_powers(x, classes, largest);
  for (long long c = threadIdx.x; c < classes; c += 32) {
    out[c] = g * (exp(x[c] - largest) / powers - (c == label ? T(1) : T(0)));
  }
}

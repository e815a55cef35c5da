// One step of an optimiser on many parameters in one launch.
//
// A network has dozens of parameters, most of them small: a launch for each would cost more than its
// arithmetic. So the kernel is given a table of them, and each block takes one chunk of one of them:
//
//   parameter   0: 5000 numbers           1: 10    2: 4000
//   block       0          1              2        3            with chunks of 4096
//   first       0                         2        3            4 (one past the last, and so on to the end)
//
// A block looks up whose chunk it has, and its threads go through the chunk side by side. The table is part
// of the arguments, so nothing is copied to the GPU before the launch. All arguments together have at most 4 kB:
// that is room for 77 parameters, and a network with more takes several launches.

#include "common.cuh"

constexpr int MOST = 77;  // parameters in a launch; as in _many.py
constexpr int COLUMNS = 5;
constexpr long long CHUNK = 4096;

struct Table {
  unsigned long long address[COLUMNS][MOST];  // of parameter, gradient, and up to three running averages
  long long size[MOST];
  int first[MOST + 1];
};

// work(place of the parameter, i) for each number i of this block's chunk.
template <typename Work>
__device__ void for_chunk(const Table& table, Work work) {
  int low = 0, high = MOST;  // the last parameter whose first block is not after this one
  while (high - low > 1) {
    int middle = (low + high) / 2;
    if (table.first[middle] <= (int)blockIdx.x) {
      low = middle;
    } else {
      high = middle;
    }
  }
  long long begin = CHUNK * ((int)blockIdx.x - table.first[low]);
  long long end = begin + CHUNK < table.size[low] ? begin + CHUNK : table.size[low];
  for (long long i = begin + threadIdx.x; i < end; i += blockDim.x) work(low, i);
}

template <typename T>
__device__ T* column(const Table& table, int number, int place) {
  return reinterpret_cast<T*>(table.address[number][place]);
}

// The gradient with weight decay; 0 times an infinite parameter would be NaN.
template <typename T>
__device__ T decayed(T grad, T param, T decay) {
  return decay == T(0) ? grad : grad + decay * param;
}

// buffer = first step ? d : momentum * buffer + take * d;  p -= lr * (nesterov ? d + momentum * buffer : buffer)
template <typename T>
__global__ void sgd(const __grid_constant__ Table table, T lr, T momentum, T take, T decay, int nesterov, int first) {
  for_chunk(table, [&](int place, long long i) {
    T* param = column<T>(table, 0, place);
    T* buffer = column<T>(table, 2, place);  // none without momentum
    T d = decayed(column<T>(table, 1, place)[i], param[i], decay);
    if (buffer) {
      T average = first ? d : momentum * buffer[i] + take * d;
      buffer[i] = average;
      d = nesterov ? d + momentum * average : average;
    }
    param[i] -= lr * d;
  });
}

// rate = lr / (1 - beta1**step), correction = sqrt(1 - beta2**step); AdamW: shrink = 1 - lr * weight_decay.
template <typename T>
__global__ void adam(const __grid_constant__ Table table, T rate, T correction, T keep1, T take1, T keep2, T take2,
                     T eps, T decay, T shrink) {
  for_chunk(table, [&](int place, long long i) {
    T* param = column<T>(table, 0, place);
    T* mean = column<T>(table, 2, place);
    T* square = column<T>(table, 3, place);
    T p = shrink * param[i];
    T d = decayed(column<T>(table, 1, place)[i], p, decay);
    T m = keep1 * mean[i] + take1 * d;
    T s = keep2 * square[i] + take2 * d * d;
    mean[i] = m;
    square[i] = s;
    param[i] = p - rate * m / (sqrt(s) / correction + eps);
  });
}

// Adam that divides by the root of the largest average square so far.
template <typename T>
__global__ void amsgrad(const __grid_constant__ Table table, T rate, T correction, T keep1, T take1, T keep2, T take2,
                        T eps, T decay, T shrink) {
  for_chunk(table, [&](int place, long long i) {
    T* param = column<T>(table, 0, place);
    T* mean = column<T>(table, 2, place);
    T* square = column<T>(table, 3, place);
    T* most = column<T>(table, 4, place);
    T p = shrink * param[i];
    T d = decayed(column<T>(table, 1, place)[i], p, decay);
    T m = keep1 * mean[i] + take1 * d;
    T s = keep2 * square[i] + take2 * d * d;
    T largest = most[i] >= s || most[i] != most[i] ? most[i] : s;  // NaN stays
    mean[i] = m;
    square[i] = s;
    most[i] = largest;
    param[i] = p - rate * m / (sqrt(largest) / correction + eps);
  });
}

template <typename T>
__global__ void rmsprop(const __grid_constant__ Table table, T lr, T keep, T take, T eps, T decay, T momentum) {
  for_chunk(table, [&](int place, long long i) {
    T* param = column<T>(table, 0, place);
    T* square = column<T>(table, 2, place);
    T* mean = column<T>(table, 3, place);    // none if not centered
    T* buffer = column<T>(table, 4, place);  // none without momentum
    T d = decayed(column<T>(table, 1, place)[i], param[i], decay);
    T s = keep * square[i] + take * d * d;
    square[i] = s;
    if (mean) {
      T m = keep * mean[i] + take * d;
      mean[i] = m;
      s -= m * m;
      s = s < T(0) ? T(0) : s;  // rounding must not make the variance of a constant gradient negative
    }
    d /= sqrt(s) + eps;
    if (buffer) {
      d += momentum * buffer[i];
      buffer[i] = d;
    }
    param[i] -= lr * d;
  });
}

template <typename T>
__global__ void adagrad(const __grid_constant__ Table table, T rate, T decay, T eps) {
  for_chunk(table, [&](int place, long long i) {
    T* param = column<T>(table, 0, place);
    T* sum = column<T>(table, 2, place);
    T d = decayed(column<T>(table, 1, place)[i], param[i], decay);
    T s = sum[i] + d * d;
    sum[i] = s;
    param[i] -= rate * d / (sqrt(s) + eps);
  });
}

template <typename T>
__global__ void adadelta(const __grid_constant__ Table table, T lr, T keep, T take, T eps, T decay) {
  for_chunk(table, [&](int place, long long i) {
    T* param = column<T>(table, 0, place);
    T* square = column<T>(table, 2, place);
    T* moved = column<T>(table, 3, place);
    T d = decayed(column<T>(table, 1, place)[i], param[i], decay);
    T s = keep * square[i] + take * d * d;
    T delta = sqrt(moved[i] + eps) / sqrt(s + eps) * d;
    square[i] = s;
    moved[i] = keep * moved[i] + take * delta * delta;
    param[i] -= lr * delta;
  });
}

// ---- the same walk, for arrays of any kind -------------------------------------------------------

// The second array of each row becomes the first.
template <typename T>
__global__ void copy_each(const __grid_constant__ Table table) {
  for_chunk(table, [&](int place, long long i) { column<T>(table, 0, place)[i] = column<T>(table, 1, place)[i]; });
}

// The third array of each row, one int for all rows of a card, becomes 1 if the first holds a NaN or an infinity.
template <typename T>
__global__ void find_not_finite(const __grid_constant__ Table table) {
  for_chunk(table, [&](int place, long long i) {
    T x = column<T>(table, 0, place)[i];
    if (x - x != T(0)) *column<int>(table, 2, place) = 1;
  });
}

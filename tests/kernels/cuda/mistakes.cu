// Kernels for test_emulator.py: most do something wrong if their last arguments say so.

#include "common.cuh"

__device__ const float table[4] = {1, 2, 3, 4};

__global__ void reverse(const float* x, float* out, int reach, int sync) {
  __shared__ float tile[64];
  int t = threadIdx.x;
  tile[t] = x[t];
  if (sync == 1) __syncthreads();
  if (sync == 2) __syncwarp();
  out[t] = tile[63 - t + reach];
}

__global__ void reverse_twice(const float* x, float* out, int again) {
  __shared__ float tile[64];
  int t = threadIdx.x;
  for (int turn = 0; turn < 2; turn++) {
    tile[t] = x[t] + turn;
    __syncthreads();
    out[t] = tile[63 - t];
    if (again) __syncthreads();
  }
}

__global__ void reverse_in_warp(const float* x, float* out, int sync) {
  __shared__ float tile[64];
  int t = threadIdx.x;
  tile[t] = x[t];
  if (sync) __syncwarp();
  out[t] = tile[t ^ 31];
}

__global__ void reverse_in_dynamic(const float* x, float* out) {
  extern __shared__ unsigned char shared_memory[];
  float* tile = reinterpret_cast<float*>(shared_memory);
  tile[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  out[threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
}

__global__ void unset(float* out) {
  __shared__ float tile[64];
  if (threadIdx.x == 0) tile[0] = 1;
  __syncthreads();
  if (threadIdx.x < 2) out[threadIdx.x] = tile[threadIdx.x];
}

__global__ void shift(const float* x, float* out, long long by) { out[threadIdx.x] = x[threadIdx.x + by]; }
__global__ void shift_writes(const float* x, float* out, long long by) {
  out[threadIdx.x + by] = x[threadIdx.x];
}

__global__ void fours(const float* x, float* out, long long by) {
  reinterpret_cast<float4*>(out)[threadIdx.x] = *reinterpret_cast<const float4*>(x + 4 * threadIdx.x + by);
}

__global__ void diverge(float* out, int first) {
  if (threadIdx.x < first) {
    __syncthreads();
    out[threadIdx.x] = 1;
  } else {
    __syncthreads();
    out[threadIdx.x] = 2;
  }
}

__global__ void leave_early(float* out, int first) {
  if (threadIdx.x >= first) return;
  __syncthreads();
  out[threadIdx.x] = 1;
}

__global__ void half_a_shuffle(const float* x, float* out, int lanes) {
  float v = x[threadIdx.x];
  if (threadIdx.x % 32 < lanes) {
    v = __shfl_xor_sync(0xffffffffu, v, 1);
  } else {
    __syncwarp(0xffffffffu);
  }
  out[threadIdx.x] = v;
}

__global__ void left_out(float* out) { out[threadIdx.x] = __ballot_sync(1, 1); }

__global__ void from_outside(const float* x, float* out) {
  float v = x[threadIdx.x];
  if (threadIdx.x < 16) v = __shfl_down_sync(0x0000ffffu, v, 1);
  out[threadIdx.x] = v;
}

__global__ void warps(const float* x, float* out) {
  int t = threadIdx.x;
  float v = x[t];
  out[t] = __shfl_sync(0xffffffffu, v, 3);
  out[t + 64] = __shfl_up_sync(0xffffffffu, v, 2, 8);
  out[t + 128] = __shfl_down_sync(0xffffffffu, v, 2, 8);
  out[t + 192] = __shfl_xor_sync(0xffffffffu, v, 5);
  out[t + 256] = __popc(__ballot_sync(0xffffffffu, v < 40));
  out[t + 320] = __any_sync(0xffffffffu, v == 40);
  out[t + 384] = __all_sync(0xffffffffu, v < 40);
  out[t + 448] = __syncthreads_count(v < 40);
}

__global__ void sums(const float* x, float* out, float* atomic) {
  __shared__ float scratch[33];
  __shared__ int hits;
  if (threadIdx.x == 0) hits = 0;
  __syncthreads();
  atomicAdd(&hits, 1);
  atomicAdd(atomic, x[threadIdx.x]);
  atomicMax(reinterpret_cast<int*>(atomic) + 1, (int)threadIdx.x);
  __syncthreads();
  out[threadIdx.x] = block_sum(x[threadIdx.x], scratch) + 1000 * (hits == (int)blockDim.x);
}

__global__ void product(const float* a, const float* b, float* out, int kind) {
  int lane = threadIdx.x, group = lane / 4, member = lane % 4;
  float d[4] = {1, 1, 1, 1};
  unsigned p[4], q[2];
  for (int i = 0; i < 4; i++) {
    int row = group + i % 2 * 8;
    if (kind == 0) {
      p[i] = to_tf32(a[row * 8 + member + i / 2 * 4]);
    } else {
      const float* from = a + row * 16 + member * 2 + i / 2 * 8;
      p[i] = to_bf16_pair(from[0], from[1]);
    }
  }
  for (int i = 0; i < 2; i++) {
    if (kind == 0) {
      q[i] = to_tf32(b[(member + i * 4) * 8 + group]);
    } else {
      const float* from = b + (member * 2 + i * 8) * 8 + group;
      q[i] = to_bf16_pair(from[0], from[8]);
    }
  }
  if (kind == 0) mma_m16n8k8_tf32(d, p, q);
  if (kind == 1) mma_m16n8k16_bf16(d, p, q);
  for (int i = 0; i < 4; i++) out[(group + i / 2 * 8) * 8 + member * 2 + i % 2] = d[i];
}

__global__ void from_table(float* out) { out[threadIdx.x] = table[threadIdx.x % 4]; }

__global__ void last_one(int* out) { *out = threadIdx.x; }

__global__ void where(int* out) {
  int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  int thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  out[block * blockDim.x * blockDim.y * blockDim.z + thread] = block * 1000 + thread;
}

struct Small {
  static constexpr int THREADS = 32;
};

// The promise of a block's size.
template <typename Tile>
__global__ void __launch_bounds__(Tile::THREADS, 2) bounded(float* out) {
  out[threadIdx.x] = 1;
}

// Races in shared memory: two threads touch the same place, one of them writes, and nothing orders them.
//
// Two accesses are ordered if a barrier of the block lies between them or, for threads of one warp, something
// that the warp does together: `__syncwarp`, a shuffle, a vote. For each place it is kept which thread wrote last
// and which two read last. Words of four bytes are one place; what is smaller is one of its own.
#pragma once

#include <stdint.h>

#include <vector>

namespace races {

struct Access {
  uint32_t barriers;  // how many barriers the block had passed; 0: never
  uint32_t steps;     // how many times the thread's warp had come together
  uint32_t thread;
};

struct Place {
  Access written, read, read_before;
  uint32_t many_warps;  // `barriers` when threads of several warps had read
};

inline std::vector<Place> places;
inline std::vector<uint32_t> steps;  // of each thread
inline uint32_t barriers = 0;
inline int in_atomic = 0;

inline void new_block(size_t threads) {
  barriers++;
  steps.assign(threads, 0);
}

inline void block_synced() { barriers++; }

inline void warp_synced(unsigned first, unsigned lanes) {
  uint32_t most = 0;
  for (unsigned lane = 0; lane < 32; lane++) {
    if (lanes >> lane & 1 && steps[first + lane] > most) most = steps[first + lane];
  }
  for (unsigned lane = 0; lane < 32; lane++) {
    if (lanes >> lane & 1) steps[first + lane] = most + 1;
  }
}

inline bool unordered(const Access& other, unsigned thread) {
  if (other.barriers != barriers || other.thread == thread) return false;
  return other.thread / 32 != thread / 32 || other.steps >= steps[thread];
}

// The thread that this access collides with, or -1.
inline long touch(size_t place, bool writes, unsigned thread) {
  if (in_atomic) return -1;
  Place& at = places[place];
  long other = unordered(at.written, thread) ? (long)at.written.thread : -1;
  Access now{barriers, steps[thread], thread};
  if (writes) {
    if (other < 0 && unordered(at.read, thread)) other = at.read.thread;
    if (other < 0 && unordered(at.read_before, thread)) other = at.read_before.thread;
    if (other < 0 && at.many_warps == barriers) other = at.read.thread;
    at.written = now;
  } else if (at.read.thread == thread && at.read.barriers == barriers) {
    at.read = now;
  } else {
    if (at.read.barriers == barriers && at.read.thread / 32 != thread / 32) at.many_warps = barriers;
    at.read_before = at.read;
    at.read = now;
  }
  return other;
}

}  // namespace races

// Fibers, barriers and checked memory behind emulator.h. Compiled once, without checks of its own.
#define EMULATOR_RUNTIME
#include "emulator.h"

#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>

#include <algorithm>
#include <string>
#include <vector>

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;
alignas(128) unsigned char dynamic_shared_memory[MOST_SHARED];

#include "races.h"
#include "switch.h"

using emulator::Request;

namespace {

constexpr unsigned WARP = 32;
constexpr unsigned MOST_THREADS = 1024;
constexpr size_t STACK = 128 * 1024;

enum State { FRESH, READY, WAITING, ENDED };

struct Thread {
  State state;
  unsigned number;
  uint3 index;
  void* stack_pointer;
  char* stack;
  Request* request;
};

struct Range {
  uintptr_t begin, end;
};

std::vector<Thread> threads;
std::vector<char*> free_stacks;
char* stacks = nullptr;
Thread* current = nullptr;
void* scheduler_stack_pointer;

unsigned launches = 0;
void (*kernel_call)(void*, void**);
void* kernel;
void** kernel_arguments;

char error[1024];
size_t dynamic_shared = 0;
std::vector<Range> arrays;     // sorted
Range last_array{0, 0};        // the one that the last access was in

// Shared arrays and constants of the kernels, sorted. A library fills it before its variables are made.
std::vector<Range>& variables() {
  static std::vector<Range> all;
  return all;
}

// ---- fibers ------------------------------------------------------------------------------------

[[noreturn]] void body() {
  kernel_call(kernel, kernel_arguments);
  current->state = ENDED;
  void* nowhere;
  switch_stacks(&nowhere, scheduler_stack_pointer);
  __builtin_unreachable();
}

void resume(Thread& thread) {
  current = &thread;
  threadIdx = thread.index;
  if (thread.state == FRESH) {
    thread.stack = free_stacks.back();
    free_stacks.pop_back();
    thread.stack_pointer = first_frame(thread.stack + STACK, body);
  }
  thread.state = READY;
  switch_stacks(&scheduler_stack_pointer, thread.stack_pointer);
  current = nullptr;
  if (thread.state == ENDED) free_stacks.push_back(thread.stack);
}

void give_up() {  // the fiber that called is never taken up again
  void* nowhere;
  if (current) switch_stacks(&nowhere, scheduler_stack_pointer);
}

__attribute__((format(printf, 1, 2))) void fail(const char* format, ...) {
  if (error[0]) return;
  int used = 0;
  if (current) {
    used = snprintf(error, sizeof error, "thread (%u, %u, %u) of block (%u, %u, %u) ", threadIdx.x, threadIdx.y,
                    threadIdx.z, blockIdx.x, blockIdx.y, blockIdx.z);
  }
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error + used, sizeof error - used, format, arguments);
  va_end(arguments);
  give_up();
}

// ---- barriers, shuffles, votes and matrix products ---------------------------------------------

const char* const NAMES[] = {"__syncthreads", "__syncwarp", "a shuffle", "a vote", "a matrix product",
                             "a matrix product"};

float tf32(unsigned bits) { return emulated_bits<float>(bits & 0xffffe000u); }
float bf16(unsigned pair, unsigned which) { return emulated_bits<float>(which ? pair & 0xffff0000u : pair << 16); }

// The part of a 16 x k matrix A, a k x 8 matrix B and a 16 x 8 matrix D that each lane holds is that of
// PTX's mma.m16n8k8 (tf32) and mma.m16n8k16 (bf16): lane = 4 * group + member.
void multiply(Thread* warp, bool is_tf32) {
  unsigned k = is_tf32 ? 8 : 16;
  float a[16][16], b[16][8];
  for (unsigned lane = 0; lane < WARP; lane++) {
    unsigned group = lane / 4, member = lane % 4;
    const Request& r = *warp[lane].request;
    for (unsigned i = 0; i < 4; i++) {
      unsigned row = group + i % 2 * 8;
      if (is_tf32) {
        a[row][member + i / 2 * 4] = tf32(r.a[i]);
      } else {
        for (unsigned j = 0; j < 2; j++) a[row][member * 2 + j + i / 2 * 8] = bf16(r.a[i], j);
      }
    }
    for (unsigned i = 0; i < 2; i++) {
      if (is_tf32) {
        b[member + i * 4][group] = tf32(r.b[i]);
      } else {
        for (unsigned j = 0; j < 2; j++) b[member * 2 + j + i * 8][group] = bf16(r.b[i], j);
      }
    }
  }
  for (unsigned lane = 0; lane < WARP; lane++) {
    for (unsigned i = 0; i < 4; i++) {
      unsigned row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
      double sum = warp[lane].request->d[i];
      for (unsigned j = 0; j < k; j++) sum += (double)a[row][j] * b[j][column];
      warp[lane].request->d[i] = (float)sum;
    }
  }
}

void complete(Thread* warp, unsigned lanes, const Request& what) {
  unsigned long long values[WARP];
  unsigned votes = 0;
  for (unsigned lane = 0; lane < WARP; lane++) {
    if (!(lanes >> lane & 1)) continue;
    values[lane] = warp[lane].request->value;
    if (values[lane]) votes |= 1u << lane;
  }
  if (what.operation == emulator::PRODUCT_TF32 || what.operation == emulator::PRODUCT_BF16) {
    if (lanes != 0xffffffff) return fail("a matrix product needs all 32 lanes of a warp (line %d)", what.line);
    multiply(warp, what.operation == emulator::PRODUCT_TF32);
  }
  for (unsigned lane = 0; lane < WARP; lane++) {
    if (!(lanes >> lane & 1)) continue;
    Request& request = *warp[lane].request;
    if (what.operation == emulator::VOTE) request.value = votes;
    if (what.operation == emulator::EXCHANGE) {  // what a lane outside brings is undefined: here NaN
      bool inside = request.source < WARP && (lanes >> request.source & 1);
      request.value = inside ? values[request.source] : ~0ull;
    }
    warp[lane].state = READY;
  }
  races::warp_synced(warp[0].number, lanes);
}

bool release_warp(Thread* warp, unsigned size) {
  bool released = false;
  unsigned alive = 0;
  for (unsigned lane = 0; lane < size; lane++) alive |= (unsigned)(warp[lane].state != ENDED) << lane;
  for (unsigned lane = 0; lane < size && !error[0]; lane++) {
    Thread& thread = warp[lane];
    if (thread.state != WAITING || thread.request->operation == emulator::BLOCK_BARRIER) continue;
    const Request what = *thread.request;
    unsigned come = 0;
    for (unsigned other = 0; other < size; other++) {
      if (warp[other].state != WAITING) continue;
      const Request& request = *warp[other].request;
      bool same = request.operation == what.operation && request.line == what.line && request.mask == what.mask;
      come |= (unsigned)same << other;
    }
    if (come == (what.mask & alive)) {
      complete(warp, come, what);
      released = true;
    }
  }
  return released;
}

bool release_block() {
  const Request* first = nullptr;
  unsigned count = 0;
  for (Thread& thread : threads) {
    if (thread.state == ENDED) continue;
    const Request& request = *thread.request;
    if (thread.state != WAITING || request.operation != emulator::BLOCK_BARRIER) return false;
    if (!first) first = &request;
    if (request.line != first->line) return false;
    count += request.value != 0;
  }
  for (Thread& thread : threads) {
    if (thread.state == ENDED) continue;
    thread.request->value = count;
    thread.state = READY;
  }
  races::block_synced();
  return true;
}

bool release() {
  if (release_block()) return true;
  bool released = false;
  for (size_t first = 0; first < threads.size(); first += WARP) {
    released |= release_warp(&threads[first], (unsigned)std::min<size_t>(WARP, threads.size() - first));
  }
  return released;
}

void report_divergence() {
  std::string where;
  for (size_t i = 0; i < threads.size();) {  // runs of threads that are at the same place
    size_t end = i + 1;
    auto place = [](const Thread& t) { return t.state == ENDED ? 0 : t.request->line * 8 + t.request->operation + 1; };
    while (end < threads.size() && place(threads[end]) == place(threads[i])) end++;
    char text[128];
    const Thread& thread = threads[i];
    if (thread.state == ENDED) {
      snprintf(text, sizeof text, "; threads %zu to %zu have ended", i, end - 1);
    } else {
      snprintf(text, sizeof text, "; threads %zu to %zu wait at %s in line %d", i, end - 1,
               NAMES[thread.request->operation], thread.request->line);
    }
    if (where.size() < 600) where += text;
    i = end;
  }
  fail("divergent barrier in block (%u, %u, %u): not all threads that live reach it%s", blockIdx.x, blockIdx.y,
       blockIdx.z, where.c_str());
}

// ---- a launch ----------------------------------------------------------------------------------

extern "C" {
extern const char __ehdr_start[] __attribute__((visibility("hidden")));  // where this library begins,
extern const char __bss_start[] __attribute__((visibility("hidden")));   // where its unset variables begin,
extern const char _end[] __attribute__((visibility("hidden")));          // and where they and it end
}

bool is_unset(uintptr_t address) { return address >= (uintptr_t)__bss_start && address < (uintptr_t)_end; }

// Every other time, and in every other launch, the threads run in the opposite order: what is right in one order
// by luck is wrong in the other.
void run_block(unsigned block) {
  for (Range range : variables()) {  // NaN: nobody may count on zeros
    if (is_unset(range.begin)) memset((void*)range.begin, 0xff, range.end - range.begin);
  }
  memset(dynamic_shared_memory, 0xff, dynamic_shared);
  races::new_block(threads.size());
  for (size_t i = 0; i < threads.size(); i++) {
    unsigned number = (unsigned)i;
    uint3 index{number % blockDim.x, number / blockDim.x % blockDim.y, number / (blockDim.x * blockDim.y)};
    threads[i] = Thread{FRESH, number, index, nullptr, nullptr, nullptr};
  }
  for (unsigned phase = block + launches;; phase++) {
    bool all_ended = true;
    for (size_t i = 0; i < threads.size(); i++) {
      Thread& thread = threads[phase % 2 ? threads.size() - 1 - i : i];
      if (thread.state == FRESH || thread.state == READY) resume(thread);
      if (error[0]) return;
      all_ended &= thread.state == ENDED;
    }
    if (all_ended) return;
    if (!release()) report_divergence();
    if (error[0]) return;
  }
}

bool prepare_stacks() {
  if (!stacks) {
    void* memory = mmap(nullptr, MOST_THREADS * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    stacks = (char*)memory;
  }
  free_stacks.clear();
  for (unsigned i = MOST_THREADS; i-- > 0;) free_stacks.push_back(stacks + i * STACK);
  return true;
}

}  // namespace

void emulator::wait(Request& request) {
  if (request.operation != BLOCK_BARRIER && !(request.mask >> lane() & 1)) {
    fail("calls %s in line %d with a mask that leaves it out", NAMES[request.operation], request.line);
  }
  current->request = &request;
  current->state = WAITING;
  switch_stacks(&current->stack_pointer, scheduler_stack_pointer);
}

emulator::Atomic::Atomic() { races::in_atomic++; }
emulator::Atomic::~Atomic() { races::in_atomic--; }

unsigned emulator::lane() { return current->number % WARP; }

const char* emulator::run(const Shape& shape, void (*call)(void*, void**), void* function, void** arguments) {
  error[0] = 0;
  launches++;
  gridDim = dim3(shape.grid[0], shape.grid[1], shape.grid[2]);
  blockDim = dim3(shape.block[0], shape.block[1], shape.block[2]);
  kernel_call = call, kernel = function, kernel_arguments = arguments, dynamic_shared = shape.shared;
  races::places.resize((size_t)(_end - __bss_start));
  races::in_atomic = 0;
  threads.resize((size_t)blockDim.x * blockDim.y * blockDim.z);
  if (!prepare_stacks()) return "no memory for the stacks of the threads";
  for (unsigned z = 0; z < gridDim.z; z++) {
    for (unsigned y = 0; y < gridDim.y; y++) {
      for (unsigned x = 0; x < gridDim.x; x++) {
        blockIdx = uint3{x, y, z};
        run_block(x + y + z);
        if (error[0]) return error;
      }
    }
  }
  return nullptr;
}

extern "C" EXPORTED void set_arrays(const uintptr_t* bounds, size_t count) {
  arrays.assign((const Range*)bounds, (const Range*)bounds + count);
  last_array = Range{0, 0};
}

// ---- memory ------------------------------------------------------------------------------------

namespace {

const Range* holding(const std::vector<Range>& ranges, uintptr_t address) {
  auto after = std::upper_bound(ranges.begin(), ranges.end(), address,
                                [](uintptr_t a, const Range& range) { return a < range.begin; });
  return after == ranges.begin() ? nullptr : &*(after - 1);
}

void outside(uintptr_t address, size_t size, bool writes, const void* from, const char* what, const Range* near) {
  const char* verb = writes ? "writes" : "reads";
  unsigned long offset = (unsigned long)((const char*)from - __ehdr_start);
  if (near) {
    fail("%s %zu bytes outside of %s: %lld bytes behind the end of %zu bytes [code at 0x%lx]", verb, size, what,
         (long long)(address - near->end), (size_t)(near->end - near->begin), offset);
  } else {
    fail("%s %zu bytes outside of %s [code at 0x%lx]", verb, size, what, offset);
  }
}

void check_race(uintptr_t address, size_t size, bool writes, const void* from) {
  for (size_t i = 0; i < size; i += 4) {
    long other = races::touch(address + i - (uintptr_t)__bss_start, writes, current->number);
    if (other < 0) continue;
    fail("%s shared memory that thread number %ld has used since the last barrier: a race [code at 0x%lx]",
         writes ? "writes to" : "reads", other, (unsigned long)((const char*)from - __ehdr_start));
  }
}

template <typename Variable>
bool is_in(uintptr_t address, const Variable& variable) {
  return address - (uintptr_t)&variable < sizeof variable;
}

void check_variable(uintptr_t address, size_t size, bool writes, const void* from) {
  uintptr_t dynamic = address - (uintptr_t)dynamic_shared_memory;
  if (dynamic < MOST_SHARED) {
    Range all{(uintptr_t)dynamic_shared_memory, (uintptr_t)dynamic_shared_memory + dynamic_shared};
    if (dynamic + size > dynamic_shared) return outside(address, size, writes, from, "dynamic shared memory", &all);
    return check_race(address, size, writes, from);
  }
  const Range* variable = holding(variables(), address);
  if (variable && address + size <= variable->end) {
    if (is_unset(address)) check_race(address, size, writes, from);
    return;
  }
  bool known = is_in(address, threadIdx) || is_in(address, blockIdx) || is_in(address, blockDim) ||
               is_in(address, gridDim) || !is_unset(address);
  if (!known) outside(address, size, writes, from, "a shared array", variable);
}

void check(const void* pointer, size_t size, bool writes, const void* from) {
  uintptr_t address = (uintptr_t)pointer, end = address + size;
  if (!current || address - (uintptr_t)stacks < MOST_THREADS * STACK) return;
  if (address % size && (size & (size - 1)) == 0) {
    fail("%s %zu bytes at an address that is no multiple of %zu [code at 0x%lx]", writes ? "writes" : "reads", size,
         size, (unsigned long)((const char*)from - __ehdr_start));
  }
  if (address >= last_array.begin && end <= last_array.end) return;
  if (pointer >= (const void*)__ehdr_start && pointer < (const void*)_end) {
    return check_variable(address, size, writes, from);
  }
  const Range* array = holding(arrays, address);
  if (!array || end > array->end) return outside(address, size, writes, from, "every array", array);
  last_array = *array;
}

}  // namespace

// The compiler puts a call of one of these before every load and store of a kernel.
#define CHECKED(size)                                                                                             \
  extern "C" void __asan_load##size##_noabort(void* p) { check(p, size, false, __builtin_return_address(0)); }    \
  extern "C" void __asan_store##size##_noabort(void* p) { check(p, size, true, __builtin_return_address(0)); }
CHECKED(1)
CHECKED(2)
CHECKED(4)
CHECKED(8)
CHECKED(16)
extern "C" void __asan_loadN_noabort(void* p, size_t n) { check(p, n, false, __builtin_return_address(0)); }
extern "C" void __asan_storeN_noabort(void* p, size_t n) { check(p, n, true, __builtin_return_address(0)); }
extern "C" void __asan_handle_no_return() {}

struct Variable {  // as the compiler lays it out
  uintptr_t begin, size, size_with_gap, name, module, has_dynamic_init, location, odr;
};

extern "C" void __asan_register_globals(Variable* first, size_t count) {
  std::vector<Range>& all = variables();
  for (size_t i = 0; i < count; i++) all.push_back({first[i].begin, first[i].begin + first[i].size});
  std::sort(all.begin(), all.end(), [](Range a, Range b) { return a.begin < b.begin; });
}
extern "C" void __asan_unregister_globals(Variable*, size_t) {}

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

#include "product.h"
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
    const Request* requests[WARP];
    for (unsigned lane = 0; lane < WARP; lane++) requests[lane] = warp[lane].request;
    product::multiply(requests, what.operation == emulator::PRODUCT_TF32);
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

void emulator::stay_within(unsigned most) {
  unsigned count = blockDim.x * blockDim.y * blockDim.z;
  if (count > most) fail("is one of %u, and __launch_bounds__ promised at most %u", count, most);
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

#include "memory.h"

#pragma once
#include <stdint.h>

/// Heap allocations that the calling thread has made since it began.
uint64_t thread_allocations(void);

#pragma once
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

/// CPU time of the calling thread, user and system, in nanoseconds.
uint64_t floor_thread_ns(void);

/// Bytes that the process has allocated and not freed.
size_t floor_heap_in_use(void);

/// `count` bound sockets on 127.0.0.1 that discard what they get without waking anybody; their ports. 0: done.
int floor_sinks(int count, uint16_t *ports);

/// The least that a fan-out costs: per viewer and packet a 12-byte header, AES-128-GCM by a keyed EVP context, and one
/// sendmmsg with UDP_SEGMENT runs of `batch` packets.
typedef struct floor_fanout floor_fanout;
floor_fanout *floor_new(int descriptor, int viewers, const uint16_t *ports, int batch, int payload);
void floor_send(floor_fanout *);
void floor_free(floor_fanout *);

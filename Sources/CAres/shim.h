// c-ares works with variadic options, a callback and the caller's own poll loop. Discovery asks one question at a time and
// waits for it on a thread of its own: one blocking function with a deadline.
#pragma once
#include <ares.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

struct cares_lookup_state {
    int status;
    int done;
    unsigned char *answer;
    int capacity;
    int length;
};

static void cares_lookup_done(void *context, int status, int timeouts, unsigned char *answer, int length) {
    struct cares_lookup_state *state = (struct cares_lookup_state *)context;
    (void)timeouts;
    state->done = 1;
    state->status = status;
    if (answer && length > 0 && length <= state->capacity) {
        memcpy(state->answer, answer, (size_t)length);
        state->length = length;
    }
}

static inline long long cares_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Asks for `name` (class IN), through the search domains of resolv.conf. `servers`: "host:port,…", or NULL for those of
// resolv.conf. The answer as on the wire goes to `answer`; `*length` is 0 without one. Returns an ARES_ status.
static inline int cares_lookup(
    const char *servers, const char *name, int type, int milliseconds, unsigned char *answer, int capacity,
    int *length) {
    struct cares_lookup_state state = {ARES_ETIMEOUT, 0, answer, capacity, 0};
    struct ares_options options;
    memset(&options, 0, sizeof options);
    options.timeout = milliseconds / 3 > 0 ? milliseconds / 3 : 1;
    options.tries = 2;
    ares_channel channel;
    *length = 0;
    int status = ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
    if (status != ARES_SUCCESS) return status;
    if (servers) status = ares_set_servers_ports_csv(channel, servers);
    if (status != ARES_SUCCESS) {
        ares_destroy(channel);
        return status;
    }
    long long end = cares_milliseconds() + milliseconds;
    ares_search(channel, name, 1 /* IN */, type, cares_lookup_done, &state);
    while (!state.done && cares_milliseconds() < end) {
        ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
        struct pollfd files[ARES_GETSOCK_MAXNUM];
        int mask = ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM);
        int count = 0;
        for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
            short events = 0;
            if (ARES_GETSOCK_READABLE(mask, i)) events |= POLLIN;
            if (ARES_GETSOCK_WRITABLE(mask, i)) events |= POLLOUT;
            if (!events) continue;
            files[count].fd = sockets[i];
            files[count].events = events;
            files[count].revents = 0;
            count++;
        }
        struct timeval longest = {0, 100000}, next;
        struct timeval *wait = ares_timeout(channel, &longest, &next);
        int pause = (int)(wait->tv_sec * 1000 + wait->tv_usec / 1000) + 1;
        int ready = poll(files, (nfds_t)count, pause);
        if (ready <= 0) ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        for (int i = 0; ready > 0 && i < count; i++) {
            if (!files[i].revents) continue;
            int readable = files[i].revents & (POLLIN | POLLERR | POLLHUP);
            ares_process_fd(
                channel, readable ? files[i].fd : ARES_SOCKET_BAD,
                files[i].revents & POLLOUT ? files[i].fd : ARES_SOCKET_BAD);
        }
    }
    // Ends what is still open: the callback then runs while `state` is alive.
    ares_destroy(channel);
    *length = state.length;
    return state.status == ARES_EDESTRUCTION ? ARES_ETIMEOUT : state.status;
}

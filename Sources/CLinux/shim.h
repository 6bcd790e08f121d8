// What Glibc, as Swift imports it, lacks: epoll, eventfd, the cmsg macros and, as it is built without _GNU_SOURCE,
// mmsghdr with its two calls. Defining _GNU_SOURCE here does not help: it changes types (fd_set) that both modules must
// see alike. So the little that is needed is declared by hand, as the kernel's ABI has it.
// Declarations and static inline functions only; nothing here is compiled on its own.
#ifndef CASCADE_CLINUX_H
#define CASCADE_CLINUX_H

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

// netinet/udp.h of older C libraries lacks it; the value is the kernel's (include/uapi/linux/udp.h).
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

// The layout of struct mmsghdr (recvmmsg(2)).
struct clinux_message {
    struct msghdr msg_hdr;
    unsigned int msg_len;
};

struct mmsghdr;
extern int recvmmsg(int, struct mmsghdr *, unsigned int, int, struct timespec *);
extern int sendmmsg(int, struct mmsghdr *, unsigned int, int);
extern int pthread_setname_np(pthread_t, const char *);

static inline int clinux_receive(int fd, struct clinux_message *messages, unsigned int count) {
    return recvmmsg(fd, (struct mmsghdr *)messages, count, 0, NULL);
}

static inline int clinux_send(int fd, struct clinux_message *messages, unsigned int count) {
    return sendmmsg(fd, (struct mmsghdr *)messages, count, 0);
}

// One entry of a sendmmsg or recvmmsg array with everything its header points at. Entries never move, so the pointers
// are set once; per message only lengths, address and control data change.
struct clinux_slot {
    struct iovec vector;
    struct sockaddr_in6 address;  // also holds a sockaddr_in, which is smaller
    union {
        struct cmsghdr header;  // for the alignment
        uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
    } control;
};

static inline void clinux_link(struct clinux_message *message, struct clinux_slot *slot) {
    memset(message, 0, sizeof *message);
    message->msg_hdr.msg_name = &slot->address;
    message->msg_hdr.msg_namelen = sizeof slot->address;
    message->msg_hdr.msg_iov = &slot->vector;
    message->msg_hdr.msg_iovlen = 1;
    slot->control.header.cmsg_level = IPPROTO_UDP;
    slot->control.header.cmsg_type = UDP_SEGMENT;
    slot->control.header.cmsg_len = CMSG_LEN(sizeof(uint16_t));
}

// Segment length of a GSO run (udp(7)); 0: one plain datagram.
static inline void clinux_set_segment(struct clinux_message *message, struct clinux_slot *slot, uint16_t segment) {
    if (segment == 0) {
        message->msg_hdr.msg_control = NULL;
        message->msg_hdr.msg_controllen = 0;
    } else {
        memcpy(CMSG_DATA(&slot->control.header), &segment, sizeof segment);
        message->msg_hdr.msg_control = slot->control.bytes;
        message->msg_hdr.msg_controllen = sizeof slot->control.bytes;
    }
}

static inline uint16_t clinux_segment(const struct clinux_message *message, const struct clinux_slot *slot) {
    uint16_t segment = 0;
    if (message->msg_hdr.msg_control != NULL) memcpy(&segment, CMSG_DATA(&slot->control.header), sizeof segment);
    return segment;
}

static inline void clinux_set_ipv4(struct clinux_message *message, struct clinux_slot *slot, uint32_t host, uint16_t port) {
    struct sockaddr_in *address = (struct sockaddr_in *)&slot->address;
    address->sin_family = AF_INET;
    address->sin_port = htons(port);
    address->sin_addr.s_addr = htonl(host);
    message->msg_hdr.msg_namelen = sizeof *address;
}

static inline void clinux_set_ipv6(
    struct clinux_message *message, struct clinux_slot *slot, uint64_t high, uint64_t low, uint16_t port) {
    struct sockaddr_in6 *address = &slot->address;
    uint64_t words[2] = {__builtin_bswap64(high), __builtin_bswap64(low)};
    memset(address, 0, sizeof *address);
    address->sin6_family = AF_INET6;
    address->sin6_port = htons(port);
    memcpy(&address->sin6_addr, words, sizeof words);
    message->msg_hdr.msg_namelen = sizeof *address;
}

static inline void clinux_get_ipv6(const struct sockaddr_in6 *address, uint64_t *high, uint64_t *low) {
    uint64_t words[2];
    memcpy(words, &address->sin6_addr, sizeof words);
    *high = __builtin_bswap64(words[0]);
    *low = __builtin_bswap64(words[1]);
}

static inline int clinux_bind(int fd, const struct clinux_slot *slot, socklen_t length) {
    return bind(fd, (const struct sockaddr *)&slot->address, length);
}

static inline int clinux_local_address(int fd, struct clinux_slot *slot) {
    socklen_t length = sizeof slot->address;
    return getsockname(fd, (struct sockaddr *)&slot->address, &length);
}

static inline int clinux_set_option(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof value);
}

// Whether this kernel knows UDP_SEGMENT at all (Linux 4.18).
static inline int clinux_knows_segmentation(int fd) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &value, &length) == 0;
}

static inline int clinux_watch(int epoll, int fd, uint32_t tag) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = tag}};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static inline uint32_t clinux_tag(const struct epoll_event *event) { return event->data.u32; }

// Waits for at most `nanoseconds`; negative: for ever. epoll_pwait2 needs Linux 5.11: before that, whole milliseconds,
// rounded up so that a deadline is never met early.
static inline int clinux_wait(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds) {
    if (nanoseconds < 0) return epoll_wait(epoll, events, capacity, -1);
    struct timespec limit = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int count = epoll_pwait2(epoll, events, capacity, &limit, NULL);
    if (count >= 0 || errno != ENOSYS) return count;
    int64_t milliseconds = (nanoseconds + 999999) / 1000000;
    return epoll_wait(epoll, events, capacity, milliseconds > 60000 ? 60000 : (int)milliseconds);
}

// Waits until a descriptor takes bytes, or has failed. Which module owns `struct pollfd` depends on who else is imported.
static inline void clinux_await_room(int fd) {
    struct pollfd entry = {.fd = fd, .events = POLLOUT};
    poll(&entry, 1, -1);
}

// What tells one version of a file from the next, and its age. Plain integers, for the same reason (`struct stat`).
struct clinux_file_version {
    unsigned long long device, inode;
    long long size, seconds, nanoseconds;
};

// Follows symbolic links. 0, or -1 where there is no such file. `age`: milliseconds since it was written.
static inline int clinux_file_version(const char *path, struct clinux_file_version *version, long long *age) {
    struct stat status;
    struct timespec now;
    if (stat(path, &status) != 0) return -1;
    clock_gettime(CLOCK_REALTIME, &now);
    version->device = status.st_dev;
    version->inode = status.st_ino;
    version->size = status.st_size;
    version->seconds = status.st_mtim.tv_sec;
    version->nanoseconds = status.st_mtim.tv_nsec;
    *age = (long long)(now.tv_sec - status.st_mtim.tv_sec) * 1000 + (now.tv_nsec - status.st_mtim.tv_nsec) / 1000000;
    return 0;
}

#endif

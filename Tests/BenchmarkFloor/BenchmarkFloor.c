#define _GNU_SOURCE
#include "BenchmarkFloor.h"
#include <arpa/inet.h>
#include <linux/filter.h>
#include <malloc.h>
#include <netinet/udp.h>
#include <openssl/evp.h>
#include <openssl/core_names.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

uint64_t floor_thread_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

size_t floor_heap_in_use(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static struct sockaddr_in loopback(uint16_t port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

int floor_sinks(int count, uint16_t *ports) {
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {1, &drop};
    for (int i = 0; i < count; i++) {
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in a = loopback(0);
        socklen_t length = sizeof a;
        if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
            setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0 ||
            getsockname(fd, (struct sockaddr *)&a, &length) != 0)
            return -1;
        ports[i] = ntohs(a.sin_port);
    }
    return 0;
}

struct viewer {
    EVP_CIPHER_CTX *context;
    struct sockaddr_in to;
    uint32_t ssrc;
    uint8_t salt[12];
};

struct floor_fanout {
    int descriptor, viewers, batch, payload;
    uint16_t sequence;
    struct viewer *viewer;
    uint8_t *source, *slab;
    struct mmsghdr *messages;
    struct iovec *vectors;
    char *control;
};

#define CONTROL CMSG_SPACE(sizeof(uint16_t))

// Viewers whose packets are sealed before they are sent: what fits the cache, however many there are.
#define CHUNK 128

floor_fanout *floor_new(int descriptor, int viewers, const uint16_t *ports, int batch, int payload) {
    floor_fanout *f = calloc(1, sizeof *f);
    *f = (floor_fanout){.descriptor = descriptor, .viewers = viewers, .batch = batch, .payload = payload};
    size_t packet = 12 + (size_t)payload + 16;
    f->viewer = calloc((size_t)viewers, sizeof *f->viewer);
    f->source = malloc((size_t)payload);
    memset(f->source, 7, (size_t)payload);
    f->slab = malloc((size_t)CHUNK * (size_t)batch * packet);
    f->messages = calloc((size_t)viewers, sizeof *f->messages);
    f->vectors = calloc((size_t)viewers, sizeof *f->vectors);
    f->control = calloc((size_t)viewers, CONTROL);
    for (int i = 0; i < viewers; i++) {
        uint8_t key[16];
        memset(key, i, sizeof key);
        f->viewer[i].context = EVP_CIPHER_CTX_new();
        EVP_EncryptInit_ex2(f->viewer[i].context, EVP_aes_128_gcm(), key, NULL, NULL);
        f->viewer[i].to = loopback(ports[i]);
        f->viewer[i].ssrc = (uint32_t)i + 1;
        struct msghdr *h = &f->messages[i].msg_hdr;
        f->vectors[i] = (struct iovec){f->slab + (size_t)(i % CHUNK) * (size_t)batch * packet, packet * (size_t)batch};
        *h = (struct msghdr){&f->viewer[i].to, sizeof f->viewer[i].to, &f->vectors[i], 1, NULL, 0, 0};
        if (batch > 1) {
            h->msg_control = f->control + (size_t)i * CONTROL;
            h->msg_controllen = CONTROL;
            struct cmsghdr *c = CMSG_FIRSTHDR(h);
            c->cmsg_level = SOL_UDP;
            c->cmsg_type = UDP_SEGMENT;
            c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
            uint16_t segment = (uint16_t)packet;
            memcpy(CMSG_DATA(c), &segment, sizeof segment);
        }
    }
    return f;
}

static void seal(struct viewer *v, uint8_t *out, const uint8_t *payload, int length, uint16_t sequence) {
    uint8_t iv[12] = {0};
    int n;
    out[0] = 0x80;
    out[1] = 96;
    uint16_t s = htons(sequence);
    uint32_t timestamp = htonl((uint32_t)sequence * 3000u), ssrc = htonl(v->ssrc);
    memcpy(out + 2, &s, 2);
    memcpy(out + 4, &timestamp, 4);
    memcpy(out + 8, &ssrc, 4);
    memcpy(iv + 2, &ssrc, 4);
    memcpy(iv + 10, &s, 2);
    for (int i = 0; i < 12; i++) iv[i] ^= v->salt[i];
    EVP_EncryptInit_ex2(v->context, NULL, NULL, iv, NULL);
    EVP_EncryptUpdate(v->context, NULL, &n, out, 12);
    EVP_EncryptUpdate(v->context, out + 12, &n, payload, length);
    EVP_EncryptFinal_ex(v->context, out + 12 + length, &n);
    OSSL_PARAM tag[2] = {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, out + 12 + length, 16),
                         OSSL_PARAM_construct_end()};
    EVP_CIPHER_CTX_get_params(v->context, tag);
}

void floor_send(floor_fanout *f) {
    size_t packet = 12 + (size_t)f->payload + 16;
    for (int start = 0; start < f->viewers; start += CHUNK) {
        int end = start + CHUNK < f->viewers ? start + CHUNK : f->viewers;
        for (int i = start; i < end; i++)
            for (int k = 0; k < f->batch; k++)
                seal(&f->viewer[i], (uint8_t *)f->vectors[i].iov_base + (size_t)k * packet, f->source, f->payload,
                     (uint16_t)(f->sequence + k));
        for (int sent = start; sent < end;) {
            int n = sendmmsg(f->descriptor, f->messages + sent, (unsigned)(end - sent), 0);
            if (n <= 0) abort();
            sent += n;
        }
    }
    f->sequence = (uint16_t)(f->sequence + f->batch);
}

void floor_free(floor_fanout *f) {
    for (int i = 0; i < f->viewers; i++) EVP_CIPHER_CTX_free(f->viewer[i].context);
    free(f->viewer);
    free(f->source);
    free(f->slab);
    free(f->messages);
    free(f->vectors);
    free(f->control);
    free(f);
}

// OpenSSL for Swift: the headers, and as functions those macros, variadic calls and bit constants that Swift cannot import.
#pragma once
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/srtp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

// DTLS 1.2 and nothing else; every ClientHello is a full handshake, answered without asking the network for its MTU.
static inline int shim_ssl_ctx_configure_dtls12(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION
                                     | SSL_OP_NO_QUERY_MTU | SSL_OP_SINGLE_ECDH_USE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1
        && SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) == 1;
}

// TLS 1.2 and 1.3; every ClientHello is a full handshake, so that a certificate counts for one connection only.
static inline int shim_ssl_ctx_configure_tls_server(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_num_tickets(context, 0) == 1 && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1;
}

static inline int shim_ssl_ctx_add_chain(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

static inline int shim_ssl_ctx_set_groups(SSL_CTX *context, const char *list) {
    return (int)SSL_CTX_set1_groups_list(context, list);
}

static inline int shim_ssl_set_mtu(SSL *ssl, long bytes) { return SSL_set_mtu(ssl, bytes) == bytes; }

static inline EVP_PKEY *shim_generate_p256(void) { return EVP_EC_gen("P-256"); }

static inline EVP_PKEY *shim_generate_rsa(unsigned int bits) { return EVP_RSA_gen(bits); }

// A parameter list keeps the pointer to its key, so the key must be a literal with static life, which a Swift one has not.
static inline void shim_gcm_tag_request(OSSL_PARAM request[2], size_t tag_length) {
    request[0] = OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, NULL, tag_length);
    request[1] = OSSL_PARAM_construct_end();
}

// RFC 5246 §5: secret, label and seed to `length` bytes.
static inline int shim_tls1_prf(const char *digest, const unsigned char *secret, size_t secret_length,
                                const char *label, const unsigned char *seed, size_t seed_length,
                                unsigned char *output, size_t length) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, (void *)secret, secret_length),
        // Seeds are joined in their order.
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)label, strlen(label)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)seed, seed_length),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *prf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_PRF, NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(prf);
    int fine = context && EVP_KDF_derive(context, output, length, parameters) == 1;
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(prf);
    return fine;
}

// SHA-1 with a state that is plain memory: HMAC from saved key states without the two allocations per message that
// OpenSSL 3.0's EVP interface makes. Deprecated in favour of EVP, hence the pragma.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static inline int shim_sha1_init(SHA_CTX *state) { return SHA1_Init(state); }
static inline int shim_sha1_update(SHA_CTX *state, const void *bytes, size_t count) {
    return SHA1_Update(state, bytes, count);
}
static inline int shim_sha1_final(unsigned char *digest, SHA_CTX *state) { return SHA1_Final(digest, state); }
#pragma GCC diagnostic pop

"""DTLS and SRTP for a scripted peer, by the system's OpenSSL and libsrtp2: nothing of the product's."""

import ctypes
import hashlib
import pathlib
import subprocess

_ssl = ctypes.CDLL("libssl.so.3")
_crypto = ctypes.CDLL("libcrypto.so.3")
_srtp = ctypes.CDLL("libsrtp2.so.1")

_pointer = ctypes.c_void_p


def _typed(library, name: str, result, *arguments):
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments
    return function


_int, _long, _size, _text = ctypes.c_int, ctypes.c_long, ctypes.c_size_t, ctypes.c_char_p
DTLS_client_method = _typed(_ssl, "DTLS_client_method", _pointer)
SSL_CTX_new = _typed(_ssl, "SSL_CTX_new", _pointer, _pointer)
SSL_CTX_use_certificate_file = _typed(_ssl, "SSL_CTX_use_certificate_file", _int, _pointer, _text, _int)
SSL_CTX_use_PrivateKey_file = _typed(_ssl, "SSL_CTX_use_PrivateKey_file", _int, _pointer, _text, _int)
SSL_CTX_set_tlsext_use_srtp = _typed(_ssl, "SSL_CTX_set_tlsext_use_srtp", _int, _pointer, _text)
SSL_new = _typed(_ssl, "SSL_new", _pointer, _pointer)
SSL_free = _typed(_ssl, "SSL_free", None, _pointer)
SSL_set_bio = _typed(_ssl, "SSL_set_bio", None, _pointer, _pointer, _pointer)
SSL_set_options = _typed(_ssl, "SSL_set_options", ctypes.c_uint64, _pointer, ctypes.c_uint64)
SSL_ctrl = _typed(_ssl, "SSL_ctrl", _long, _pointer, _int, _long, _pointer)
SSL_set_connect_state = _typed(_ssl, "SSL_set_connect_state", None, _pointer)
SSL_do_handshake = _typed(_ssl, "SSL_do_handshake", _int, _pointer)
SSL_export_keying_material = _typed(
    _ssl, "SSL_export_keying_material", _int, _pointer, _text, _size, _text, _size, _pointer, _size, _int)
BIO_new = _typed(_crypto, "BIO_new", _pointer, _pointer)
BIO_s_mem = _typed(_crypto, "BIO_s_mem", _pointer)
BIO_write = _typed(_crypto, "BIO_write", _int, _pointer, _text, _int)
BIO_read = _typed(_crypto, "BIO_read", _int, _pointer, _pointer, _int)

SSL_FILETYPE_PEM, SSL_OP_NO_QUERY_MTU, SSL_CTRL_SET_MTU, DTLS_CTRL_HANDLE_TIMEOUT = 1, 1 << 12, 17, 74


class Identity:
    """A certificate for as many peers as one likes. `folder` keeps it."""

    def __init__(self, folder: pathlib.Path):
        certificate, key = folder / "peer.pem", folder / "peer.key"
        if not certificate.exists():
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-subj", "/CN=peer", "-days", "2", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        der = subprocess.run(
            ["openssl", "x509", "-in", certificate, "-outform", "DER"], check=True, capture_output=True).stdout
        self.fingerprint = ":".join(f"{byte:02X}" for byte in hashlib.sha256(der).digest())
        self.context = SSL_CTX_new(DTLS_client_method())
        assert SSL_CTX_use_certificate_file(self.context, str(certificate).encode(), SSL_FILETYPE_PEM) == 1
        assert SSL_CTX_use_PrivateKey_file(self.context, str(key).encode(), SSL_FILETYPE_PEM) == 1
        # This one returns 0 for success.
        assert SSL_CTX_set_tlsext_use_srtp(self.context, b"SRTP_AEAD_AES_128_GCM") == 0


class Handshake:
    """The client's side of DTLS: datagrams in, datagrams out."""

    def __init__(self, identity: Identity):
        self.ssl = SSL_new(identity.context)
        self.incoming, self.outgoing = BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem())
        SSL_set_bio(self.ssl, self.incoming, self.outgoing)
        SSL_set_options(self.ssl, SSL_OP_NO_QUERY_MTU)
        SSL_ctrl(self.ssl, SSL_CTRL_SET_MTU, 1200, None)
        SSL_set_connect_state(self.ssl)

    def advance(self, datagram: bytes = b"") -> list[bytes]:
        """What to send now. Nothing in: also what has to be sent again."""
        if datagram:
            BIO_write(self.incoming, datagram, len(datagram))
        else:
            SSL_ctrl(self.ssl, DTLS_CTRL_HANDLE_TIMEOUT, 0, None)
        self.is_done = SSL_do_handshake(self.ssl) == 1
        buffer = ctypes.create_string_buffer(16_384)
        length = BIO_read(self.outgoing, buffer, len(buffer))
        return records(buffer.raw[:length]) if length > 0 else []

    is_done = False

    def keys(self) -> tuple[bytes, bytes]:
        """Master key and salt, ours and the server's (RFC 5764 §4.2)."""
        out = ctypes.create_string_buffer(56)
        label = b"EXTRACTOR-dtls_srtp"
        assert SSL_export_keying_material(self.ssl, out, 56, label, len(label), None, 0, 0) == 1
        raw = out.raw
        return raw[0:16] + raw[32:44], raw[16:32] + raw[44:56]

    def close(self):
        SSL_free(self.ssl)


def records(flight: bytes) -> list[bytes]:
    """A flight in datagrams of at most 1,200 bytes, each of whole records (RFC 6347 §4.1)."""
    datagrams, start = [b""], 0
    while start + 13 <= len(flight):
        end = start + 13 + int.from_bytes(flight[start + 11:start + 13], "big")
        if len(datagrams[-1]) + end - start > 1200:
            datagrams.append(b"")
        datagrams[-1] += flight[start:end]
        start = end
    return datagrams


class _CryptoPolicy(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in ("cipher", "key_len", "auth", "auth_key_len", "tag_len", "services")]


class _Policy(ctypes.Structure):
    _fields_ = [
        ("ssrc_type", ctypes.c_int), ("ssrc", ctypes.c_uint32), ("rtp", _CryptoPolicy), ("rtcp", _CryptoPolicy),
        ("key", ctypes.c_char_p), ("keys", _pointer), ("num_master_keys", ctypes.c_ulong), ("ekt", _pointer),
        ("window_size", ctypes.c_ulong), ("allow_repeat_tx", ctypes.c_int), ("enc_xtn_hdr", _pointer),
        ("enc_xtn_hdr_count", ctypes.c_int), ("next", _pointer)]


_AEAD_AES_128_GCM, _ANY_INBOUND, _ANY_OUTBOUND = 7, 2, 3
assert _srtp.srtp_init() == 0


class SRTP:
    """One direction."""

    def __init__(self, key: bytes, inbound: bool = False):
        self._key, self._context = key, _pointer()
        policy = _Policy(
            ssrc_type=_ANY_INBOUND if inbound else _ANY_OUTBOUND, key=key, window_size=1024, allow_repeat_tx=1)
        for part in ("rtp", "rtcp"):
            set_policy = getattr(_srtp, f"srtp_crypto_policy_set_from_profile_for_{part}")
            assert set_policy(ctypes.byref(getattr(policy, part)), _AEAD_AES_128_GCM) == 0
        assert _srtp.srtp_create(ctypes.byref(self._context), ctypes.byref(policy)) == 0
        self._length, memory = ctypes.c_int(), bytearray(2_048)
        self._view, self._buffer = memoryview(memory), (ctypes.c_char * len(memory)).from_buffer(memory)

    def _apply(self, function, packet: bytes) -> bytes:
        self._view[:len(packet)] = packet
        self._length.value = len(packet)
        status = function(self._context, self._buffer, ctypes.byref(self._length))
        assert status == 0, f"libsrtp: {status}"
        return bytes(self._view[:self._length.value])

    def seal_rtp(self, packet: bytes) -> bytes:
        return self._apply(_srtp.srtp_protect, packet)

    def seal_rtcp(self, packet: bytes) -> bytes:
        return self._apply(_srtp.srtp_protect_rtcp, packet)

    def open_rtcp(self, packet: bytes) -> bytes:
        return self._apply(_srtp.srtp_unprotect_rtcp, packet)

    def close(self):
        _srtp.srtp_dealloc(self._context)

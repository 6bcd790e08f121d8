internal import COpenSSL

/// HMAC-SHA1 cut to 80 bits (RFC 3711 §4.2.1) of packets, under one key.
@safe struct PacketAuthentication: ~Copyable {
    static let tagLength = 10

    /// SHA-1 after the inner and the outer HMAC key block, and one working state.
    private let hash: UnsafeMutablePointer<SHA_CTX>
    private let digest: UnsafeMutablePointer<UInt8>

    private static let digestLength = 20
    private static let blockLength = 64

    /// - Parameter key: empty under AEAD, which has no use for this.
    init(key: [UInt8]) {
        unsafe hash = .allocate(capacity: key.isEmpty ? 0 : 3)
        unsafe digest = .allocate(capacity: key.isEmpty ? 0 : Self.digestLength)
        isEmpty = key.isEmpty
        if !key.isEmpty { prepare(key) }
    }

    private let isEmpty: Bool

    deinit {
        if !isEmpty { unsafe OPENSSL_cleanse(hash, 3 * MemoryLayout<SHA_CTX>.stride) }
        unsafe hash.deallocate()
        unsafe digest.deallocate()
    }

    /// RFC 2104: the two key blocks are the same for every packet, so they are hashed once.
    private func prepare(_ key: [UInt8]) {
        unsafe hash.initialize(repeating: SHA_CTX(), count: 3)
        unsafe digest.initialize(repeating: 0, count: Self.digestLength)
        let padded = key + [UInt8](repeating: 0, count: Self.blockLength - key.count)
        unsafe precondition(
            shim_sha1_init(hash) == 1 && shim_sha1_update(hash, padded.map { $0 ^ 0x36 }, Self.blockLength) == 1
                && shim_sha1_init(hash + 1) == 1
                && shim_sha1_update(hash + 1, padded.map { $0 ^ 0x5C }, Self.blockLength) == 1,
            "SHA-1 cannot fail on plain memory")
    }

    /// Writes the tag of `length` bytes at `packet`, and of `number` behind them, to `tag`.
    @unsafe borrowing func write(
        to tag: UnsafeMutablePointer<UInt8>, of packet: UnsafePointer<UInt8>, _ length: Int, and number: UInt32
    ) {
        unsafe compute(packet, length, number)
        unsafe tag.update(from: digest, count: Self.tagLength)
    }

    /// Whether `tag` is the one that `write` would write.
    @unsafe borrowing func accepts(
        _ tag: UnsafePointer<UInt8>, of packet: UnsafePointer<UInt8>, _ length: Int, and number: UInt32
    ) -> Bool {
        unsafe compute(packet, length, number)
        return unsafe CRYPTO_memcmp(tag, digest, Self.tagLength) == 0
    }

    @unsafe private borrowing func compute(_ packet: UnsafePointer<UInt8>, _ length: Int, _ number: UInt32) {
        precondition(!isEmpty, "AEAD authenticates by itself")
        let (inner, outer, work) = unsafe (hash, hash + 1, hash + 2)
        var number = number.bigEndian
        unsafe work.pointee = inner.pointee
        var fine =
            unsafe shim_sha1_update(work, packet, length) == 1 && shim_sha1_update(work, &number, 4) == 1
            && shim_sha1_final(digest, work) == 1
        unsafe work.pointee = outer.pointee
        fine =
            unsafe shim_sha1_update(work, digest, Self.digestLength) == 1 && shim_sha1_final(digest, work) == 1 && fine
        precondition(fine, "SHA-1 cannot fail on plain memory")
    }
}

internal import COpenSSL

/// Seals or opens the SRTCP of one direction (RFC 3711 §3.4, RFC 7714 §9), always encrypted.
///
/// ```
/// GCM: header (4) SSRC (4) | encrypted … | tag (16) | E=1, index (31 bits)
/// CM:  header (4) SSRC (4) | encrypted … | E=1, index (31 bits) | tag (10)
/// ```
@safe struct SRTCPCipher: ~Copyable {
    static let plainLength = 8
    static let indexLength = 4
    /// A key is good for so many packets.
    static let lastIndex: UInt32 = 0x7FFF_FFFF
    private static let isEncrypted: UInt32 = 0x8000_0000

    private let cipher: SessionCipher
    private let authentication: PacketAuthentication

    /// Bytes that sealing adds.
    var overhead: Int { cipher.tagLength + Self.indexLength }

    /// - Returns: nil when OpenSSL lacks the cipher.
    init?(_ keys: SRTPSessionKeys, _ purpose: SessionCipher.Purpose) {
        guard let cipher = SessionCipher(keys, purpose) else { return nil }
        self.cipher = cipher
        authentication = PacketAuthentication(key: keys.authenticationKey)
    }

    /// The index that a packet claims to have; nil for what is too short or not encrypted.
    @unsafe borrowing func index(of packet: UnsafeRawPointer, _ length: Int) -> UInt32? {
        guard length >= Self.plainLength + overhead else { return nil }
        let offset = length - (cipher.isAEAD ? Self.indexLength : overhead)
        let word = unsafe UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        return word & Self.isEncrypted == 0 ? nil : word & Self.lastIndex
    }

    /// Seals the first `length` bytes, at least `plainLength` of them, in place.
    ///
    /// - Parameter packet: has room for `length + overhead` bytes, which it fills.
    @unsafe borrowing func seal(_ packet: UnsafeMutablePointer<UInt8>, _ length: Int, index: UInt32) {
        precondition(length >= Self.plainLength && index <= Self.lastIndex, "an RTCP packet, an index of 31 bits")
        let (body, end) = unsafe (packet + Self.plainLength, packet + length)
        let word = index | Self.isEncrypted
        var written: Int32 = 0
        var fine = unsafe begin(packet, index)
        if cipher.isAEAD {
            fine = unsafe authenticate(packet, word) && fine
        }
        if length > Self.plainLength {
            let count = Int32(length - Self.plainLength)
            fine = unsafe EVP_EncryptUpdate(cipher.context, body, &written, body, count) == 1 && fine
        }
        if cipher.isAEAD {
            fine =
                unsafe EVP_EncryptFinal_ex(cipher.context, end, &written) == 1
                && EVP_CIPHER_CTX_ctrl(cipher.context, EVP_CTRL_AEAD_GET_TAG, Int32(cipher.tagLength), end) == 1 && fine
            unsafe store(word, at: end + cipher.tagLength)
        } else {
            unsafe store(word, at: end)
            unsafe authentication.write(to: end + Self.indexLength, of: packet, length, and: word)
        }
        precondition(fine, "OpenSSL seals any packet with a keyed context")
    }

    /// Opens what `index(of:)` found an index in, in place; what is not genuine is left in any state.
    ///
    /// - Returns: the length of the plain packet; nil when it is not genuine.
    @unsafe borrowing func open(_ packet: UnsafeMutablePointer<UInt8>, _ length: Int, index: UInt32) -> Int? {
        let plain = length - overhead
        let word = index | Self.isEncrypted
        let (body, end) = unsafe (packet + Self.plainLength, packet + plain)
        if !cipher.isAEAD {
            guard unsafe authentication.accepts(end + Self.indexLength, of: packet, plain, and: word) else {
                return nil
            }
        }
        var written: Int32 = 0
        guard unsafe begin(packet, index) else { return nil }
        if cipher.isAEAD {
            let tagLength = Int32(cipher.tagLength)
            guard unsafe EVP_CIPHER_CTX_ctrl(cipher.context, EVP_CTRL_AEAD_SET_TAG, tagLength, end) == 1,
                unsafe authenticate(packet, word)
            else { return nil }
        }
        if plain > Self.plainLength {
            let count = Int32(plain - Self.plainLength)
            guard unsafe EVP_DecryptUpdate(cipher.context, body, &written, body, count) == 1 else { return nil }
        }
        if cipher.isAEAD {
            guard unsafe EVP_DecryptFinal_ex(cipher.context, end, &written) == 1 else { return nil }
        }
        return plain
    }

    @unsafe private borrowing func begin(_ packet: UnsafeMutablePointer<UInt8>, _ index: UInt32) -> Bool {
        let ssrc = unsafe UnsafeRawPointer(packet).loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        return cipher.begin(ssrc: UInt32(bigEndian: ssrc), index: UInt64(index))
    }

    /// GCM: what is authenticated but not encrypted, the header and the index (RFC 7714 §9.2).
    @unsafe private borrowing func authenticate(_ packet: UnsafeMutablePointer<UInt8>, _ word: UInt32) -> Bool {
        var written: Int32 = 0
        var word = word.bigEndian
        return unsafe EVP_CipherUpdate(cipher.context, nil, &written, packet, Int32(Self.plainLength)) == 1
            && withUnsafeBytes(of: &word) { bytes in
                let start = unsafe bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
                return unsafe EVP_CipherUpdate(cipher.context, nil, &written, start, Int32(Self.indexLength)) == 1
            }
    }

    @unsafe private borrowing func store(_ word: UInt32, at place: UnsafeMutablePointer<UInt8>) {
        unsafe UnsafeMutableRawPointer(place).storeBytes(of: word.bigEndian, as: UInt32.self)
    }
}

import Glibc

/// A TCP connection to loopback on which a test says exactly what it wants, byte by byte.
final class RawConnection {
    private let descriptor: Int32
    /// `read` has come to the end of what the other side sends.
    private(set) var isAtEnd = false

    init(port: Int) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isConnected = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        precondition(isConnected, "the node listens")
    }

    deinit { close(descriptor) }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(
                    descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// What comes until `end` was read, or the other end closes, or the time is up. It waits without holding a thread: the
    /// node under test needs them.
    func read(until end: String, within limit: Duration = patience) async -> String {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let deadline = ContinuousClock.now + limit
        while !String(decoding: text, as: UTF8.self).contains(end), ContinuousClock.now < deadline {
            let count = unsafe recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                text += buffer[..<count]
            } else if count < 0, errno == EAGAIN {
                try? await Task.sleep(for: .milliseconds(5))
            } else {
                isAtEnd = true
                break
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// All that comes until the other end closes; check `isAtEnd`.
    func readToEnd(within limit: Duration = patience) async -> String { await read(until: "\0", within: limit) }
}

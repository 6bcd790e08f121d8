import Glibc

/// What to do after `sendmmsg` refused one message.
enum SendFailure: Equatable {
    /// A signal came: call again.
    case again
    /// The socket's buffer or the device queue is full: wait a moment for room.
    case full
    /// The kernel did not take this GSO run: send its datagrams one by one.
    case split
    /// Nobody can be reached there (route, filter, family): lose this message as the network would.
    case drop

    static func classify(_ code: Int32, isRun: Bool) -> SendFailure {
        switch code {
        case EINTR: return .again
        case EAGAIN, ENOBUFS: return .full
        case EIO, EINVAL, EMSGSIZE, EOPNOTSUPP: return isRun ? .split : .drop
        default: return .drop
        }
    }
}

/// Whether runs are still handed to the kernel (UDP_SEGMENT).
///
/// EIO says that the device or route cannot segment (no checksum offload, IPsec): off for good. EINVAL and EMSGSIZE also
/// come for one destination whose path MTU is below the segment size, which must not slow down everybody else: only a
/// row of them without any success in between turns segmentation off.
struct SegmentationPolicy {
    static let refusalsInARow = 32
    private(set) var isEnabled: Bool
    private(set) var refusals = 0

    init(isEnabled: Bool) { self.isEnabled = isEnabled }

    mutating func refused(_ code: Int32) {
        refusals += 1
        if code == EIO || refusals >= Self.refusalsInARow { isEnabled = false }
    }

    mutating func accepted() { refusals = 0 }
}

import Glibc
import WebRTC

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

/// Which runs are handed to the kernel (UDP_SEGMENT).
///
/// EIO says that the device or route cannot segment (no checksum offload, IPsec): off for good. EINVAL (older kernels)
/// and EMSGSIZE come for a destination whose path MTU is below the segment size: the datagrams for that one leave apart
/// from then on, for the kernel to fragment, and nobody else's do. Only where many destinations are refused in a row
/// without any success in between, this node's own link is narrow, and runs are not worth a try for anybody. Paths
/// change, and what the kernel has heard of them may be forged: all but EIO is forgotten after a while.
struct SegmentationPolicy {
    static let refusalsInARow = 32
    /// Of narrow destinations; those beyond are refused again and again.
    static let mostNarrow = 1_024
    static let memory = Interval.seconds(Int64(60))

    private var isPossible: Bool
    private var narrow: Set<TransportAddress> = []
    /// Of destinations not known to be narrow.
    private(set) var refusals = 0
    private var forgetAt = Instant.distantFuture

    init(isPossible: Bool) {
        self.isPossible = isPossible
        narrow.reserveCapacity(Self.mostNarrow)
    }

    /// Whether runs are worth making.
    var isEnabled: Bool { isPossible && refusals < Self.refusalsInARow }

    func takesRun(to destination: TransportAddress) -> Bool {
        isEnabled && (narrow.isEmpty || !narrow.contains(Self.path(to: destination)))
    }

    mutating func refused(_ code: Int32, to destination: TransportAddress, now: Instant) {
        if code == EIO { isPossible = false }
        let path = Self.path(to: destination)
        // Runs to one destination may be under way together: they are one refusal.
        if narrow.contains(path) { return }
        if narrow.count < Self.mostNarrow { narrow.insert(path) }
        refusals += 1
        forgetAt = min(forgetAt, now + Self.memory)
    }

    mutating func accepted() { refusals = 0 }

    mutating func advance(now: Instant) {
        guard now >= forgetAt else { return }
        narrow.removeAll(keepingCapacity: true)
        (refusals, forgetAt) = (0, .distantFuture)
    }

    /// The kernel knows one path MTU for each address.
    private static func path(to destination: TransportAddress) -> TransportAddress {
        var path = destination
        (path.port, path.socket) = (0, 0)
        return path
    }
}

import Synchronization

/// The one place that decides how much of each bounded thing one client network may have. Nobody gets more than a share
/// of any of them, so that one address that does its worst keeps nobody else out.
///
/// A share is `NodeLimits.addressShare` percent of the bound, and at least `Resource.least`: more than the people behind
/// one NAT need. Whoever comes from this host (a reverse proxy), shows a node's certificate or comes in on the internal
/// listener counts for the whole only.
package final class FairShares: Sendable {
    package enum Resource: String, CaseIterable, Sendable {
        /// HTTP connections of the public listener.
        case connections
        /// Those of the internal one, which nobody shares.
        case internalConnections = "internal_connections"
        /// Viewers' sessions that are not connected yet; publishers', who show a token, count apart.
        case halfOpenViewers = "half_open_viewers"
        case halfOpenPublishers = "half_open_publishers"
        /// Viewers' sessions.
        case viewers
        /// Viewers' requests for broadcasts that nobody has announced, while those are looked for.
        case waitingRequests = "waiting_requests"
        /// Event streams of viewers' sessions, those of other nodes' sessions included.
        case eventStreams = "event_streams"
        /// Requests that are passed on to the sessions' owners, all owners together.
        case forwardedRequests = "forwarded_requests"

        /// A share is never less.
        var least: Int { self == .forwardedRequests ? 4 : 16 }
    }

    package enum Refusal: String, CaseIterable, Sendable {
        /// All of it is taken.
        case full
        /// The client network has its share.
        case share
    }

    /// A place that was taken. Goes back exactly once, by `FairShares.giveBack`.
    package struct Place: Hashable, Sendable {
        fileprivate let resource: Resource
        fileprivate let network: ClientNetwork?
    }

    private struct Use {
        var bound = Int.max
        var share = Int.max
        var taken = 0
        var byNetwork: [ClientNetwork: Int] = [:]
        var refused: [Refusal: UInt64] = [:]
    }

    private let sharesLoopback: Bool
    private let uses: Mutex<[Resource: Use]>

    /// - Parameter bounds: of everything together; what is not named is not bounded.
    package init(_ bounds: [Resource: Int], percent: Int, sharesLoopback: Bool = false) {
        self.sharesLoopback = sharesLoopback
        uses = Mutex(
            bounds.reduce(into: [:]) { uses, bound in
                let share = Int((Double(bound.value) * Double(percent) / 100).rounded())
                uses[bound.key] = Use(
                    bound: bound.value, share: percent >= 100 ? bound.value : max(share, bound.key.least))
            })
    }

    /// Of a node with these limits. Publishers' and viewers' half-open sessions have the same bound each.
    package convenience init(_ limits: NodeLimits) {
        self.init(
            [
                .connections: limits.connections,
                .internalConnections: limits.internalConnections ?? limits.connections,
                .halfOpenViewers: limits.sessionsHalfOpen,
                .halfOpenPublishers: limits.sessionsHalfOpen, .viewers: limits.viewers,
                .waitingRequests: limits.sessionsHalfOpen,
                .eventStreams: min(limits.viewers, limits.eventStreams ?? .max),
                .forwardedRequests: limits.forwardedRequests,
            ],
            percent: limits.addressShare, sharesLoopback: limits.sharesLoopback)
    }

    /// - Parameter network: nil: one of the deployment's own.
    package func take(_ resource: Resource, for network: ClientNetwork?) -> Result<Place, RefusalError> {
        let network = network.flatMap { $0.isLoopback && !sharesLoopback ? nil : $0 }
        return uses.withLock { uses in
            var use = uses[resource] ?? Use()
            defer { uses[resource] = use }
            let refusal: Refusal? =
                use.taken >= use.bound
                ? .full : network.map { use.byNetwork[$0, default: 0] >= use.share } == true ? .share : nil
            if let refusal {
                use.refused[refusal, default: 0] += 1
                return .failure(RefusalError(refusal: refusal))
            }
            use.taken += 1
            if let network { use.byNetwork[network, default: 0] += 1 }
            return .success(Place(resource: resource, network: network))
        }
    }

    package func giveBack(_ place: Place) {
        uses.withLock { uses in
            precondition(uses[place.resource].map { $0.taken > 0 } == true, "a place is given back once")
            uses[place.resource]?.taken -= 1
            guard let network = place.network else { return }
            let left = uses[place.resource]?.byNetwork[network].map { $0 - 1 } ?? 0
            uses[place.resource]?.byNetwork[network] = left > 0 ? left : nil
        }
    }

    package struct RefusalError: Error, Hashable {
        package let refusal: Refusal
    }

    /// For `/metrics`, which counts each refusal.
    package var refused: [Resource: [Refusal: UInt64]] { uses.withLock { $0.mapValues(\.refused) } }
    package func taken(_ resource: Resource) -> Int { uses.withLock { $0[resource]?.taken ?? 0 } }
    package func taken(_ resource: Resource, by network: ClientNetwork) -> Int {
        uses.withLock { $0[resource]?.byNetwork[network] ?? 0 }
    }
}

import Forwarding
import Logging
import WebRTC

/// Who gets in. Viewers may be anybody: what they may take is shared among their networks (`FairShares`). Publishers and
/// nodes, who show a token, count apart, so that viewers cannot keep them out.
extension Sessions {
    func refuseWhileDraining() throws(Refusal) {
        if draining { throw .draining }
    }

    /// Viewers have their own bound: see `hold`.
    func admit(_ purpose: SessionPurpose) throws(Refusal) {
        let limits = topology.limits
        if purpose == .relay, tally.opening[.relay, default: 0] >= limits.sessionsHalfOpen {
            throw Refusal(.halfOpenViewers, .full)
        }
        if tally.all >= limits.sessions { throw .full("too many sessions") }
        let bound =
            switch purpose {
            case .publisher: limits.publishers
            case .relay: limits.relays
            case .viewer, .upstream: Int.max
            }
        if tally.count(purpose) >= bound { throw .full("too many sessions of kind \(purpose.rawValue)") }
    }

    func admitBroadcast() throws(Refusal) {
        if broadcasts.count >= topology.limits.forwarding.broadcasts { throw .full("too many broadcasts") }
    }

    /// A place for somebody from `network`; nil: one of the deployment's own, or one who has shown a token of his own.
    ///
    /// When all half-open viewers' places are taken, the oldest session goes whose peer has shown no authenticated check
    /// yet: whoever means to watch sends one within a round trip, and who sends offers only need not wait for it.
    func hold(_ resource: FairShares.Resource, for network: ClientNetwork?) throws(Refusal) -> HeldPlace {
        var refusal: FairShares.Refusal
        do throws(FairShares.RefusalError) {
            return try HeldPlace(resource, for: network, of: shares)
        } catch {
            refusal = error.refusal
        }
        warn(of: refusal, resource, network)
        if refusal == .full, resource == .halfOpenViewers,
            let oldest = unchecked.min(by: { $0.rawValue < $1.rawValue })
        {
            end(oldest, reason: .setupTimeout)
            do throws(FairShares.RefusalError) {
                return try HeldPlace(resource, for: network, of: shares)
            } catch {
                refusal = error.refusal
            }
        }
        throw Refusal(resource, refusal)
    }

    /// Once a minute for each resource and reason; `/metrics` counts them all.
    private func warn(of refusal: FairShares.Refusal, _ resource: FairShares.Resource, _ network: ClientNetwork?) {
        let key = "\(resource.rawValue) \(refusal.rawValue)"
        guard lastWarned[key].map({ clock - $0 >= .seconds(60) }) ?? true else { return }
        lastWarned[key] = clock
        logger.warning(
            "clients are refused",
            metadata: [
                "resource": "\(resource.rawValue)", "reason": "\(refusal.rawValue)",
                "network": "\(network?.description ?? "a node's")",
                "limit": "limits.\(refusal == .share ? "address_share" : resource.limit)",
            ])
    }

    // MARK: - Half-open sessions

    /// Its peer has shown that it knows the session's ICE password.
    func checked(_ id: SessionID) { unchecked.remove(id) }

    /// Its transport is up: what only half-open sessions hold goes back.
    func endHalfOpen(_ record: inout SessionRecord) {
        unchecked.remove(record.id)
        record.places.removeAll { $0.resource == .halfOpenViewers || $0.resource == .halfOpenPublishers }
    }
}

extension Refusal {
    init(_ resource: FairShares.Resource, _ refusal: FairShares.Refusal) {
        let what =
            switch resource {
            case .connections, .internalConnections: "too many connections"
            case .halfOpenViewers, .halfOpenPublishers: "too many sessions are being set up"
            case .viewers: "too many sessions of kind viewer"
            case .waitingRequests: "too many broadcasts are being looked for"
            case .eventStreams: "too many event streams"
            case .forwardedRequests: "too many requests to other nodes"
            }
        self = refusal == .full ? .full(what) : .share(what)
    }
}

extension FairShares.Resource {
    /// The key below `limits` that bounds it.
    fileprivate var limit: String {
        switch self {
        case .connections, .internalConnections: "connections"
        case .halfOpenViewers, .halfOpenPublishers, .waitingRequests: "sessions_half_open"
        case .viewers, .eventStreams: "viewers"
        case .forwardedRequests: "forwarded_requests"
        }
    }
}

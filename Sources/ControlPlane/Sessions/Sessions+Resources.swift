import Forwarding
import MediaPlane
package import WebRTC

/// The HTTP resource of a session: what a client asks of one that is open.
extension Sessions {
    /// The broadcast and purpose behind a resource, for authorisation; nil: not here, or not on this listener.
    package func find(
        _ resource: ResourceName, on listener: ListenerKind
    ) -> (broadcast: String, purpose: SessionPurpose, etag: String)? {
        guard let id = resources[resource], let record = sessions[id], record.listener == listener,
            record.purpose != .upstream
        else { return nil }
        return (record.name, record.purpose, record.etag)
    }

    package enum Patched: Sendable {
        case trickled
        /// The `trickle-ice-sdpfrag` with our new credentials, and the ETag of the new ICE session.
        case restarted(fragment: String, etag: String)
    }

    /// Trickle (RFC 9725 §4.3.2) or, with other credentials than before, ICE restart (§4.3.3).
    package func patch(
        _ resource: ResourceName, on listener: ListenerKind, ifMatch: IfMatch, fragment: ICEFragment
    ) throws(Refusal) -> Patched {
        guard let id = resources[resource], var record = sessions[id], record.listener == listener else {
            throw .unknownSession
        }
        guard ifMatch.matches(record.etag) else { throw .preconditionFailed }
        if let mid = fragment.mid, !record.mids.contains(mid) {
            throw .invalidFragment("the offer had no m-line with mid \(mid)")
        }
        let offered = fragment.ice
        let worker = media.workers[record.worker]
        guard offered != record.remoteICE else {
            if !fragment.candidates.isEmpty { worker.send(.addRemoteCandidates(id, fragment.candidates)) }
            return .trickled
        }
        // Both or neither (RFC 8839 §4.4.1.1.1): a half-changed pair is a mistake, and the old session goes on.
        guard offered.ufrag != record.remoteICE.ufrag, offered.password != record.remoteICE.password else {
            throw .invalidFragment("an ICE restart changes both ufrag and pwd")
        }
        let local = localTransport(worker: record.worker)
        worker.send(.restartICE(id, local: local.ice, remote: offered, remoteCandidates: fragment.candidates))
        (record.remoteICE, record.etag) = (offered, entityTag())
        sessions[id] = record
        return .restarted(
            fragment: Negotiation.fragment(local: local, agreement: record.agreement), etag: record.etag)
    }

    /// false: there is no such session (any more).
    package func delete(_ resource: ResourceName, on listener: ListenerKind) -> Bool {
        guard find(resource, on: listener) != nil, let id = resources[resource] else { return false }
        end(id, reason: .requested)
        return true
    }

    /// false: there is no such session.
    package func impair(_ resource: ResourceName, loss: Double) -> Bool {
        guard let id = resources[resource], let record = sessions[id] else { return false }
        media.workers[record.worker].send(.setImpairment(id, loss: loss))
        return true
    }
}

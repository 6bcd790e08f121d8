import ControlPlane
import Forwarding
import Logging
import MediaPlane
import Synchronization
import WebRTC

/// The probe's end of WHIP and WHEP: media workers of the same make as a node's, and HTTP towards the server.
final class ProbeClient: Sendable {
    /// How far a session has come, by the worker's events.
    struct Progress: Sendable {
        var connected: Instant?
        /// Watching: the first media packet was accepted.
        var flowing: Instant?
        var closed: (at: Instant, reason: CloseReason, statistics: SessionStatistics)?
    }

    private struct State {
        var nextID: UInt64 = 1
        var progress: [SessionID: Progress] = [:]
    }

    private let plane: MediaPlane
    /// HTTP exchanges at once.
    private static let exchanges = 32

    private let http: WHIPClient
    private let turns = Turnstile(exchanges)
    private let identity: DTLSIdentity
    private let state = Mutex(State())

    /// Every session sends from a port of its own.
    init(limits: Limits, workers: Int = 1, redirects: WHIPClient.Redirects, logger: Logger) throws {
        http = WHIPClient(http: HTTPClient(exchanges: Self.exchanges), redirects: redirects)
        let identity = try DTLSIdentity.generate()
        var system = SystemRandomNumberGenerator()
        var configuration = MediaPlane.Configuration(
            listen: TransportAddress(ipv6High: 0, low: 0, port: 0), workers: workers, identity: identity,
            limits: limits, seed: system.next())
        do throws(MediaPlaneError) {
            plane = try MediaPlane(configuration, logger: logger)
        } catch {
            // A kernel without IPv6; anything else fails here as well and is thrown.
            configuration.listen = TransportAddress(ipv4: 0, port: 0)
            plane = try MediaPlane(configuration, logger: logger)
        }
        self.identity = identity
    }

    /// Follows the workers' events; returns after `stop`.
    func run() async {
        for await event in plane.events {
            let now = MonotonicClock.now()
            state.withLock { state in
                switch event {
                case .connected(let id, _, _): state.progress[id]?.connected = now
                case .flowing(let id, _): if state.progress[id]?.flowing == nil { state.progress[id]?.flowing = now }
                case .closed(let id, let reason, let statistics):
                    state.progress[id]?.closed = (now, reason, statistics)
                case .checked, .feeds, .silent, .unreachable, .reachable, .formatsChanged, .receiving, .rates,
                    .discarding,
                    .exceeding,
                    .statistics, .report:
                    break
                }
            }
        }
    }

    func stop() async { await plane.stop() }

    func progress(of session: SessionID) -> Progress { state.withLock { $0.progress[session] ?? Progress() } }

    /// Of all live sessions, and what all workers dropped.
    func statistics() async -> UnitStatistics {
        await plane.statistics(ofSessions: true).reduce(into: UnitStatistics()) { sum, worker in
            sum.sessions.merge(worker.sessions) { first, _ in first }
            for (i, count) in worker.drops.enumerated() { sum.drops[i] += count }
        }
    }

    // MARK: Opening

    /// A new number for a session and its broadcast, and the worker that has them.
    func makePlace() -> Place {
        let number = state.withLock { state in
            defer { state.nextID += 1 }
            state.progress[SessionID(rawValue: state.nextID)] = Progress()
            return state.nextID
        }
        return Place(
            session: SessionID(rawValue: number), broadcast: BroadcastID(rawValue: number),
            worker: plane.workers[Int(number % UInt64(plane.workers.count))])
    }

    /// Offers to send the tracks of the broadcast that was opened at `place`.
    func publish(_ formats: [TrackFormat], to url: String, token: String?, at place: Place) async throws -> ProbeSession
    {
        var system = SystemRandomNumberGenerator()
        let ice = ICECredentials.generate(using: &system)
        let offer = Negotiation.offer(
            sending: formats, streamName: "probe", local: local(ice), using: &system)
        let started = MonotonicClock.now()
        let answer = try await posted(offer, to: url, token: token).get()
        guard answer.status == 201 else { throw refusal(answer, url, .publish) }
        return try accept(answer, offer: offer, ice: ice, direction: .sink, started: started, at: place)
    }

    /// Offers to receive. A broadcast that is not live (409) and a full server (503, 429) are tried again, when the
    /// server said, until `patience` is over; `refused` hears of each.
    func watch(
        _ url: String, token: String?, patience: Duration, interruption: Interruption, at place: Place,
        refused: (Refusal) async -> Void = { _ in }
    ) async throws -> ProbeSession {
        var system = SystemRandomNumberGenerator()
        let ice = ICECredentials.generate(using: &system)
        let offer = Negotiation.offer(receiving: [.audio, .video], local: local(ice), using: &system)
        let limit = ContinuousClock.now + patience
        while true {
            await turns.enter()
            if interruption.isRequested {
                await turns.leave()
                throw CancellationError()
            }
            let started = MonotonicClock.now()
            let result = await posted(offer, to: url, token: token)
            await turns.leave()
            let answer = try result.get()
            if answer.status == 201 {
                return try accept(answer, offer: offer, ice: ice, direction: .source, started: started, at: place)
            }
            let refusal = refusal(answer, url, .watch)
            let pause = Duration.seconds(max(1, answer.retryAfter ?? 1))
            guard refusal.isTemporary, ContinuousClock.now + pause < limit else { throw refusal }
            await refused(refusal)
            try await interruption.sleep(pause)
        }
    }

    private func local(_ ice: ICECredentials) -> LocalTransport {
        // No candidates: the session's port is opened with the session, and the server learns it from our first check.
        LocalTransport(ice: ice, fingerprint: identity.fingerprint, candidates: [])
    }

    private func posted(
        _ offer: SessionDescription, to url: String, token: String?
    ) async -> Result<WHIPClient.Answer, ProbeError> {
        do throws(HTTPClient.Failure) {
            return .success(try await http.post(offer: offer.description, url: url, token: token))
        } catch {
            // libcurl says how many milliseconds it waited: one reason, not one for each viewer.
            let reason = "\(error)".replacing(/\ after \d+ milliseconds/, with: "")
            return .failure(ProbeError("\(url) cannot be reached: \(reason)"))
        }
    }

    private func refusal(_ answer: WHIPClient.Answer, _ url: String, _ verb: Refusal.Verb) -> Refusal {
        var problem = answer.problem
        if answer.status == 401, !HTTPClient.haveOneOrigin(answer.url, url) {
            problem = "\(url) has redirected here, and the token did not go along: see --location-trusted"
        }
        return Refusal(status: answer.status, problem: problem, url: answer.url, verb: verb)
    }

    private func accept(
        _ answer: WHIPClient.Answer, offer: SessionDescription, ice: ICECredentials,
        direction: SessionParameters.Direction, started: Instant, at place: Place
    ) throws -> ProbeSession {
        let answered = MonotonicClock.now()
        guard let resource = answer.location else { throw ProbeError("the server's 201 has no usable Location") }
        let agreement: Agreement
        do {
            agreement = try Negotiation.accept(answer: try SessionDescription.parse(answer.sdp), to: offer)
        } catch {
            throw ProbeError("the server's SDP answer is not usable: \(error)")
        }
        let remote = agreement.remote
        if direction == .source {
            place.worker.send(.openBroadcast(place.broadcast, tracks: Negotiation.formats(of: agreement)))
        }
        let transport = TransportParameters(
            role: .client, localICE: ice, remoteICE: remote.ice, remoteFingerprints: remote.fingerprints,
            remoteCandidates: remote.candidates, dtlsActive: remote.dtlsActive)
        place.worker.send(
            .open(
                SessionParameters(
                    id: place.session, transport: transport, broadcast: place.broadcast, direction: direction,
                    tracks: agreement.tracks)))
        return ProbeSession(place: place, resource: resource, token: answer.token, started: started, answered: answered)
    }

    /// Ends the session on both sides.
    func close(_ session: ProbeSession) async {
        await turns.enter()
        _ = try? await http.delete(url: session.resource, token: session.token)
        await turns.leave()
        session.place.worker.send(.closeBroadcast(session.place.broadcast, reason: .requested))
    }
}

/// Where in the media plane a session is.
struct Place: Sendable {
    var session: SessionID
    var broadcast: BroadcastID
    var worker: MediaWorker
}

/// A session that the server has answered.
struct ProbeSession: Sendable {
    var place: Place
    /// URL of the session resource.
    var resource: String
    var token: String?
    /// When the offer that was accepted was sent, and when the answer came.
    var started: Instant
    var answered: Instant

    var id: SessionID { place.session }
}

import HTTPTypes

/// What a path names. Which listener has it and which methods apply is part of the meaning.
indirect enum Route: Hashable {
    case whip(String)
    case whep(String)
    case relay(String)
    case directory
    case session(ResourceName)
    /// A public route of a session, asked by another node for its client.
    case forwarded(Route)
    case sessionEvents(ResourceName)
    /// A stream of its events, by name.
    case sessionEvent(ResourceName, String)
    case layer(ResourceName)
    case impairment(ResourceName)
    /// A resource's name or the beginning of it.
    case debugSession(String)
    case broadcasts, nodes, iceServers
    case health, readiness, metrics, drain
    /// Of `readiness` what anybody may know.
    case outerHealth
    /// An authority asks whether we have the name it is to certify.
    case challenge(String)
    /// Everything else on a plain listener: it is to be had by TLS.
    case secured
    /// A page or one of its assets, by path.
    case page(String)

    /// nil: there is nothing of that path on this listener. Broadcast names are checked by whoever uses them.
    init?(path: some StringProtocol, on listener: ListenerKind) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map {
            String($0).removingPercentEncoding
        }
        let first = (parts.first ?? nil) ?? ""
        let second = parts.count > 1 ? parts[1] : nil
        switch (listener, parts.count, first) {
        case (.plain, 3, ".well-known") where second == "acme-challenge": self = .challenge(parts[2] ?? "")
        case (.plain, _, _): self = .secured
        case (.public, 1, "health"): self = .outerHealth
        case (.public, 2, "whip"): self = .whip(second ?? "")
        case (.public, 2, "whep"): self = .whep(second ?? "")
        case (.internal, 2, "relay") where second == "directory": self = .directory
        case (.internal, 2, "relay"): self = .relay(second ?? "")
        case (_, 2, "session"): self = .session(ResourceName(second ?? ""))
        case (.public, 3, "session") where parts[2] == "events": self = .sessionEvents(ResourceName(second ?? ""))
        case (.public, 4, "session") where parts[2] == "events":
            self = .sessionEvent(ResourceName(second ?? ""), parts[3] ?? "")
        case (.public, 3, "session") where parts[2] == "layer": self = .layer(ResourceName(second ?? ""))
        case (.internal, 3, "session"):
            guard parts[2] == "impairment" else { return nil }
            self = .impairment(ResourceName(second ?? ""))
        case (.internal, 3..., "forwarded"):
            let rest = path.dropFirst("/forwarded".count)
            guard let route = Route(path: rest, on: .public), route.sessionResource != nil else { return nil }
            self = .forwarded(route)
        case (.internal, 3, "debug"):
            guard second == "sessions", let id = parts[2], !id.isEmpty else { return nil }
            self = .debugSession(id)
        case (_, 2, "api"):
            switch second {
            case "broadcasts": self = .broadcasts
            case "nodes": self = .nodes
            case "ice" where listener == .public: self = .iceServers
            default: return nil
            }
        case (.internal, 1, "healthz"): self = .health
        case (.internal, 1, "readyz"): self = .readiness
        case (.internal, 1, "metrics"): self = .metrics
        case (.internal, 1, "drain"): self = .drain
        case (.public, _, _): self = .page(String(path))
        default: return nil
        }
    }

    /// On an internal listener with TLS: who asks must be known by certificate. Probes of an orchestrator and scrapes of
    /// metrics have none.
    var needsCertificate: Bool {
        switch self {
        case .health, .readiness, .metrics, .broadcasts, .nodes: false
        default: true
        }
    }

    /// The session that a public route is about: the part of it that tells whose it is.
    var sessionResource: ResourceName? {
        switch self {
        case .session(let resource), .sessionEvents(let resource), .sessionEvent(let resource, _),
            .layer(let resource):
            resource
        default: nil
        }
    }

    /// The path with its variable parts named, as a metrics label: there are only so many.
    var pattern: String {
        switch self {
        case .whip: "/whip/{broadcast}"
        case .whep: "/whep/{broadcast}"
        case .relay: "/relay/{broadcast}"
        case .directory: "/relay/directory"
        case .session: "/session/{id}"
        case .forwarded(let route): "/forwarded" + route.pattern
        case .sessionEvents: "/session/{id}/events"
        case .sessionEvent: "/session/{id}/events/{stream}"
        case .layer: "/session/{id}/layer"
        case .impairment: "/session/{id}/impairment"
        case .debugSession: "/debug/sessions/{id}"
        case .broadcasts: "/api/broadcasts"
        case .nodes: "/api/nodes"
        case .iceServers: "/api/ice"
        case .health: "/healthz"
        case .readiness: "/readyz"
        case .outerHealth: "/health"
        case .challenge: "/.well-known/acme-challenge/{name}"
        case .secured: "/{secured}"
        case .metrics: "/metrics"
        case .drain: "/drain"
        case .page: "/{page}"
        }
    }

    /// What applies here, in the order of the `Allow` field.
    var methods: [HTTPRequest.Method] {
        switch self {
        case .whip, .whep, .relay: [.get, .head, .options, .post]
        case .session: [.get, .head, .options, .patch, .delete]
        case .forwarded(let route): route.methods
        case .impairment, .sessionEvents, .layer: [.options, .post]
        case .sessionEvent: [.get, .options, .delete]
        case .drain: [.options, .post, .delete]
        case .secured: [.get, .head, .options, .post, .patch, .put, .delete]
        default: [.get, .head, .options]
        }
    }

    var allow: String { methods.map(\.rawValue).joined(separator: ", ") }

    /// What a POST or PATCH here takes, for `Accept-Post` and `Accept-Patch`.
    var acceptedBody: (field: HTTPField.Name, type: String)? {
        switch self {
        case .whip, .whep, .relay: (.acceptPost, MediaType.sdp)
        case .session: (.acceptPatch, MediaType.fragment)
        case .forwarded(let route): route.acceptedBody
        case .sessionEvents, .layer: (.acceptPost, MediaType.json)
        default: nil
        }
    }
}

extension HTTPField.Name {
    static let acceptPost = HTTPField.Name("Accept-Post")!
    static let acceptPatch = HTTPField.Name("Accept-Patch")!
    static let cascadePath = HTTPField.Name(CascadeField.path)!
    static let cascadeInstance = HTTPField.Name(CascadeField.instance)!
    static let cascadeAttempt = HTTPField.Name(CascadeField.attempt)!
    static let cascadeStart = HTTPField.Name(CascadeField.start)!
    static let cascadeRequestID = HTTPField.Name(CascadeField.requestID)!
}

extension String {
    /// nil: an incomplete escape, or not UTF-8 when decoded.
    var removingPercentEncoding: String? {
        guard utf8.contains(UInt8(ascii: "%")) else { return self }
        var bytes: [UInt8] = []
        var rest = Array(utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, rest.first != UInt8(ascii: "+"),
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

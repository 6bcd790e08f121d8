package import Forwarding
package import WebRTC

/// The whole deployment as `topology.yaml` describes it, checked: every reference resolves, every number is in range,
/// every secret that this node needs is at hand. Nothing below reads the file or the environment again.
package struct Topology: Sendable {
    package enum Conflict: String, CaseIterable, Sendable {
        /// A second publisher on a live broadcast is answered 409.
        case reject
        /// It takes the broadcast over.
        case replace
    }

    package var auth = Auth()
    /// `{node}` in a path stands for a node's name. nil: internal listeners speak plain HTTP.
    package var internalTLS: PeerTrust.Files?
    package var onConflict = Conflict.reject
    /// How long viewers stay without a source.
    package var hold = Duration.seconds(30)
    /// How long a relay outlives its last viewer.
    package var linger = Duration.seconds(10)
    /// No answer from any upstream within this: the viewer is told 503.
    package var relayTimeout = Duration.seconds(3)
    /// A draining node stops after this even if viewers are left.
    package var drainDeadline = Duration.seconds(60)
    /// Viewers of a draining node are told over this long, evenly, to watch elsewhere; at most the deadline.
    package var drainWindow = Duration.seconds(10)
    /// Sessions accept `POST /session/{id}/impairment`.
    package var simulation = false
    package var logAddresses = LogAddresses.full
    package var limits = NodeLimits()
    package var dns: DNS?
    package var regions: [Region] = []
    /// Region of an availability zone, for endpoints whose slices name no cluster.
    package var zones: [String: String] = [:]
    /// At least one, names unique, in the order of the file.
    package var nodes: [Node] = []

    package init() {}

    /// Of internal URLs.
    package var internalScheme: String { internalTLS == nil ? "http" : "https" }

    /// nil: no such node.
    package func node(named name: String) -> Node? { nodes.first { $0.name == name } }
    package func region(named name: String) -> Region? { regions.first { $0.name == name } }
}

extension Topology {
    /// Whether edges of a region that have the same upstream fetch a broadcast once for all.
    package enum Hub: String, CaseIterable, Sendable {
        case auto
        case off = "none"
    }

    package struct Region: Hashable, Sendable {
        package var name: String
        /// Degrees north (-90...90) and east (-180...180).
        package var location: Location?
        /// Host names that lead to this region's edges.
        package var hostnames: [String]
        package var hub: Hub
        package var clients = Clients()

        package init(name: String, location: Location? = nil, hostnames: [String] = [], hub: Hub = .auto) {
            (self.name, self.location, self.hostnames, self.hub) = (name, location, hostnames, hub)
        }
    }

    package struct Location: Hashable, Sendable {
        package var latitude: Double
        package var longitude: Double

        package init(latitude: Double, longitude: Double) { (self.latitude, self.longitude) = (latitude, longitude) }
    }

    package enum Role: String, CaseIterable, Sendable {
        case origin, edge
    }

    /// One process of ours.
    package struct Node: Hashable, Sendable {
        /// `[a-z0-9-]{1,63}`: fits a DNS label, a URL path and a token claim.
        package var name: String
        package var role: Role
        /// Name of one of `regions`.
        package var region: String
        package var publicListener: Listener
        package var front = Front()
        package var internalListener: Listener
        package var media: Media
        /// People may watch here. Always true on an edge unless the file says otherwise; false on an origin likewise.
        package var viewers: Bool
        /// An origin has none.
        package var upstream: Upstream

        package init(
            name: String, role: Role, region: String, publicListener: Listener, internalListener: Listener,
            media: Media, viewers: Bool, upstream: Upstream
        ) {
            (self.name, self.role, self.region) = (name, role, region)
            (self.publicListener, self.internalListener) = (publicListener, internalListener)
            (self.media, self.viewers, self.upstream) = (media, viewers, upstream)
        }
    }

    /// A TCP listener and how others reach it.
    package struct Listener: Hashable, Sendable {
        /// IP literal without brackets, or a name to resolve at bind time.
        package var host: String
        package var port: Int
        /// `http://host:port` or `https://…`, without a path or trailing slash.
        package var url: String
        /// false: the file leaves it out, and `url` is a guess that holds on this machine.
        package var isURLGiven: Bool

        package init(host: String, port: Int, url: String, isURLGiven: Bool = true) {
            (self.host, self.port, self.url, self.isURLGiven) = (host, port, url, isURLGiven)
        }
    }

    /// How the public listener meets the internet.
    package struct Front: Hashable, Sendable {
        /// What its names resolve to (ports are 0); empty: see `publicAddresses(of:)`.
        package var addresses: [TransportAddress] = []
        /// nil: HTTP without TLS.
        package var tls: PeerTrust.Files?
        /// Only beside TLS.
        package var plain: Plain?
        /// Who may say for whom it asks.
        package var proxies: [AddressBlock] = []

        package init() {}
    }

    /// A listener that leads to the one with TLS.
    package struct Plain: Hashable, Sendable {
        package var host: String
        package var port: Int
        /// The folder with the answers to an authority's challenges (RFC 8555 §8.3); nil: there are none.
        package var challenges: String?

        package init(host: String, port: Int, challenges: String? = nil) {
            (self.host, self.port, self.challenges) = (host, port, challenges)
        }
    }

    package struct Media: Hashable, Sendable {
        /// The address that every worker binds; its `port` is worker 0's, worker n has `port + n`.
        package var listen: TransportAddress
        package var workers: Int
        /// Addresses offered as candidates (ports are the workers', here 0); nil: every address of the host.
        package var advertise: [TransportAddress]?

        package init(listen: TransportAddress, workers: Int = 1, advertise: [TransportAddress]? = nil) {
            (self.listen, self.workers, self.advertise) = (listen, workers, advertise)
        }

        package var port: Int { Int(listen.port) }
        /// One UDP port per worker.
        package var ports: ClosedRange<Int> { port...(port + workers - 1) }
    }

    /// Where a node pulls broadcasts from: any of three sources together.
    package struct Upstream: Hashable, Sendable {
        /// Names of nodes in this topology, in order of preference; never the node itself, no cycles.
        package var nodes: [String]
        package var slices: SliceUpstream?
        package var dns: DNSUpstream?
        /// Where edges of the same region with the same upstream are found, beside those of the topology.
        package var peers: PeerSources?

        package init(
            nodes: [String] = [], slices: SliceUpstream? = nil, dns: DNSUpstream? = nil, peers: PeerSources? = nil
        ) {
            (self.nodes, self.slices, self.dns, self.peers) = (nodes, slices, dns, peers)
        }

        /// There is, or may some time be, a node to pull from.
        package var hasSources: Bool { !nodes.isEmpty || slices != nil || dns != nil }

        /// Pulls from the same nodes, however its peers are found.
        package func isSame(as other: Upstream) -> Bool {
            (nodes, slices) == (other.nodes, other.slices) && dns == other.dns
        }

        package static var none: Upstream { .init() }
        package static func `static`(_ nodes: [String]) -> Upstream { .init(nodes: nodes) }
    }

    /// At least one.
    package struct PeerSources: Hashable, Sendable {
        package var slices: SliceUpstream?
        package var dns: DNSUpstream?

        package init(slices: SliceUpstream? = nil, dns: DNSUpstream? = nil) {
            (self.slices, self.dns) = (slices, dns)
        }
    }

    /// EndpointSlice files of one service.
    package struct SliceUpstream: Hashable, Sendable {
        package var directory: String
        package var service: String
        /// Of the internal listener, where a slice names none.
        package var port: UInt16

        package init(directory: String, service: String, port: UInt16 = 9_080) {
            (self.directory, self.service, self.port) = (directory, service, port)
        }
    }

    /// A name with the addresses of internal listeners behind it.
    package struct DNSUpstream: Hashable, Sendable {
        package enum Record: String, CaseIterable, Sendable {
            case a = "A", aaaa = "AAAA", srv = "SRV"
        }

        package var name: String
        /// Of the internal listener; SRV records bring their own.
        package var port: UInt16
        package var record: Record
        /// `address:port` each; empty: the system's.
        package var servers: [String]

        package init(name: String, port: UInt16 = 9_080, record: Record = .a, servers: [String] = []) {
            (self.name, self.port, self.record, self.servers) = (name, port, record, servers)
        }
    }
}

extension Topology {
    /// Who may publish, watch and relay.
    package struct Auth: Sendable {
        package var publish = Access.closed
        package var watch = Access.closed
        /// Its secret may be several: see `NodeSecrets`.
        package var node = Access.closed
        /// First match wins over `publish` and `watch`.
        package var broadcasts: [Rule] = []

        package init() {}

        /// Of tokens.
        package var files: Set<String> {
            Set(([publish, watch] + broadcasts.flatMap { [$0.publish, $0.watch] }).compactMap { $0?.file })
        }

        /// The token of `file` is another one now.
        package mutating func replace(file: String, by token: Secret) {
            publish.replace(file: file, by: token)
            watch.replace(file: file, by: token)
            for index in broadcasts.indices {
                broadcasts[index].publish?.replace(file: file, by: token)
                broadcasts[index].watch?.replace(file: file, by: token)
            }
        }
    }

    package enum Access: Sendable {
        case open
        /// `file`: where it comes from, if from a file: read again when it changes.
        case secret(Secret, file: String? = nil)
        /// Nobody: the file asks for a secret that a node of this role never needs and was not given.
        case closed

        package var isOpen: Bool { if case .open = self { true } else { false } }
        package var file: String? { if case .secret(_, let file) = self { file } else { nil } }

        fileprivate mutating func replace(file: String, by secret: Secret) {
            if self.file == file { self = .secret(secret, file: file) }
        }
    }

    package struct Rule: Sendable {
        /// A broadcast name in which `*` stands for any run of characters, the empty one included.
        package var pattern: String
        /// nil: as the topology says for all.
        package var publish: Access?
        package var watch: Access?

        package init(pattern: String, publish: Access? = nil, watch: Access? = nil) {
            (self.pattern, self.publish, self.watch) = (pattern, publish, watch)
        }
    }
}

/// Bounds of one node. Everything that can grow has its bound here.
package struct NodeLimits: Hashable, Sendable {
    /// Viewers of this node; the next is answered 503.
    package var viewers = 5_000
    /// Publishers of this node; the next is answered 503.
    package var publishers = 200
    /// Relays that other nodes hold here (one per broadcast and node).
    package var relays = 2_000
    /// All sessions of this node, half-open ones included.
    package var sessions = 10_000
    /// Sessions that are not connected yet; the next is answered 503.
    package var sessionsHalfOpen = 500
    /// HTTP request body; a longer one is answered 413.
    package var bodyBytes = 64 << 10
    /// POST, PATCH and DELETE of one remote address, sustained; beyond the burst it is answered 429.
    package var requestsPerSecond = 100
    package var requestBurst = 200
    /// GET, HEAD and OPTIONS, likewise.
    package var readsPerSecond = 1_000
    package var readBurst = 5_000
    /// Remote addresses whose rate is remembered; the longest idle is forgotten first.
    package var rateAddresses = 10_000
    /// Open HTTP connections of one listener.
    package var connections = 20_000
    /// nil: as many on the internal one.
    package var internalConnections: Int?
    /// Of viewers' sessions; nil: one for each.
    package var eventStreams: Int?
    /// For a request to come: the first of a connection, and the body of each.
    package var requestTimeout = Interval.seconds(Int64(10))
    /// Requests about sessions of other nodes under way at once, all owners together.
    package var forwardedRequests = 64
    /// How much of what is bounded one client network may have, in percent; see `FairShares`.
    package var addressShare = 25
    /// For tests: clients on this host have a share too.
    package var sharesLoopback = false
    /// Per media worker.
    package var forwarding = Limits()

    package init() {}
}

@testable import Routing

/// A node of a simulated cluster: the router, and of everything around it what matters to the router.
final class SimulatedNode {
    /// A neighbour as this node sees it.
    final class Watched {
        let index: Int
        let kind: Neighbour.Kind
        var health: UpstreamHealth
        /// What it says of itself.
        var isReady = true
        /// Counts the attempts to follow its directory; what belongs to an older one is void.
        var epoch = 0
        var isFollowed = false
        /// Which life of the neighbour serves the stream, once it does.
        var servedBy: Int?
        var backOff = Duration.milliseconds(100)
        /// When the last event of the stream arrives.
        var busyUntil = Duration.zero
        /// Sent while the link is cut.
        var held: [DirectoryEvent] = []
        var isBeingProbed = false

        init(index: Int, kind: Neighbour.Kind, now: Duration) {
            (self.index, self.kind, health) = (index, kind, UpstreamHealth(now: now))
        }
    }

    /// A request of another node that waits for the broadcast.
    struct Request {
        var name: String
        var attempt: RelayRouter.Attempt
        var client: Int
        var clientLife: Int
        var waiting: [String]
    }

    /// A broadcast that is published here.
    struct Publishing {
        var publication: Publication
        /// The publisher is there.
        var isLive = true
        /// Between two pictures of one who sends few of them; nil: he sends all the time.
        var pause: Duration?
        /// When the last of those pictures came.
        var pictureAt: Duration?
        /// How long such a picture can be seen on its way.
        static let picture = Duration.milliseconds(150)

        func isSending(_ now: Duration) -> Bool {
            guard pause != nil else { return isLive }
            return isLive && pictureAt.map { now <= $0 + Self.picture } == true
        }

        /// The publisher's transport counts as up: until its consent has expired.
        var isOpen = true
        /// Counts publishers, so that what is planned for one does not happen to the next.
        var turn: Int
    }

    let index: Int
    let plan: ClusterPlan.Node
    /// Counts starts; what was meant for an earlier life is void.
    var life = 0
    var isAlive = true
    var isDraining = false
    var router: RelayRouter
    var watched: [Watched] = []
    var lastNeighbours: [Neighbour] = []
    var wakeAt: Duration?
    /// Times in a row that its router was left with a deadline that has passed.
    var late = 0
    var isRouting = false

    var publishing: [String: Publishing] = [:]
    /// Requests to neighbours under way.
    var asks: [RelayRouter.Attempt: String] = [:]
    /// Relays that this node pulls, by attempt.
    var sources: [RelayRouter.Attempt: SimulatedRelay] = [:]
    /// The relay that feeds each broadcast.
    var current: [String: SimulatedRelay] = [:]
    /// Broadcasts that exist here: ones that have had a relay. Until when they are held without one, if they are.
    var heldUntil: [String: Duration?] = [:]
    /// Relays that others pull from here.
    var served: [SimulatedRelay] = []
    var requests: [Request] = []
    /// Viewers who watch, and who wait for an answer, by broadcast.
    var watching: [String: Set<Int>] = [:]
    var hoping: [String: Set<Int>] = [:]
    /// Counts changes between used and unused.
    var lingering: [String: Int] = [:]
    /// Router actions in the present virtual second.
    var actions = (second: -1, count: 0)

    init(index: Int, plan: ClusterPlan.Node, seed: UInt64) {
        (self.index, self.plan) = (index, plan)
        router = RelayRouter(node: plan.name, budget: .seconds(4), seed: seed)
    }

    func isUsed(_ name: String) -> Bool {
        watching[name]?.isEmpty == false || served.contains { $0.name == name }
    }
}

/// A media session between two nodes.
final class SimulatedRelay {
    let name: String
    let attempt: RelayRouter.Attempt
    let client: Int
    let clientLife: Int
    let server: Int
    let serverLife: Int
    let opened: Duration
    var isOpenAtClient = true
    var isOpenAtServer = true
    var isConnected = false
    /// Since when no datagram can pass.
    var brokenSince: Duration?
    var verifyAt: Duration?
    var lastMedia: Duration
    /// By the server.
    var lastHeard: Duration
    var isReportedUnreachable = false
    var isReportedSilent = false
    var hasFlowed = false
    /// As far as its client knows.
    var isSending: Bool { hasFlowed && !isReportedSilent && !isReportedUnreachable }

    init(
        name: String, attempt: RelayRouter.Attempt, client: Int, clientLife: Int, server: Int, serverLife: Int,
        now: Duration
    ) {
        (self.name, self.attempt, self.client, self.clientLife) = (name, attempt, client, clientLife)
        (self.server, self.serverLife, opened) = (server, serverLife, now)
        (lastMedia, lastHeard) = (now, now)
    }
}

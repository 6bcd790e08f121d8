import ArgumentParser
import ControlPlane
import FoundationEssentials
import Routing

// What an operator asks of the nodes of a deployment, over their internal listeners.

struct Nodes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Asks every node of a topology how it is.", discussion: "Exit code 1: not all of them are ready.")

    @OptionGroup var deployment: DeploymentOptions

    func run() async throws {
        let deployment = try deployment.load()
        let rows = await deployment.all { try await NodeRow($0, deployment) }
            .map { node, result in (try? result.get()) ?? NodeRow(silent: node, result) }
        if self.deployment.json {
            Console.line(Console.json(rows))
        } else {
            Console.line(TextTable.text(NodeRow.heads, rows.map(\.cells)))
        }
        guard rows.allSatisfy({ $0.state == "ready" }) else { throw ExitCode.failure }
    }
}

struct Broadcasts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists what is live in a deployment, with its viewers at all nodes.",
        discussion: "Exit code 1: not all nodes have answered.")

    @OptionGroup var deployment: DeploymentOptions

    func run() async throws {
        let deployment = try deployment.load()
        let answers = await deployment.all { node in
            try await deployment.ask("GET", "/api/broadcasts", of: node).body([BroadcastSummary].self)
        }
        var rows: [String: BroadcastRow] = [:]
        for (node, answer) in answers {
            for summary in (try? answer.get()) ?? [] {
                rows[summary.name, default: .init(summary)].add(summary, at: node)
            }
        }
        let sorted = rows.values.sorted { $0.name < $1.name }
        if self.deployment.json {
            Console.line(Console.json(sorted))
        } else {
            Console.line(TextTable.text(BroadcastRow.heads, sorted.map(\.cells)))
        }
        var isComplete = true
        for (node, answer) in answers {
            guard case .failure(let error) = answer else { continue }
            Console.note("\(node.name): \(error)")
            isComplete = false
        }
        if !isComplete { throw ExitCode.failure }
    }
}

struct Drain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tells a node to send its viewers elsewhere and take no more; it goes on running.")

    @OptionGroup var deployment: DeploymentOptions

    @Argument(help: ArgumentHelp("Its name in the topology.", valueName: "node"))
    var node: String

    @Flag(help: "Take it back.")
    var cancel = false

    func run() async throws {
        let deployment = try deployment.load()
        guard let target = deployment.topology.node(named: node) else {
            let names = deployment.topology.nodes.prefix(20).map(\.name).joined(separator: ", ")
            throw ValidationError("there is no node \"\(node)\" in \(self.deployment.topology); its nodes: \(names)")
        }
        let facts = try await deployment.ask(cancel ? "DELETE" : "POST", "/drain", of: target).body(NodeFacts.self)
        Console.line("\(facts.node) \(facts.draining ? "drains" : "does not drain")")
    }
}

/// Where the nodes are, and as whom they are asked.
struct DeploymentOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The deployment.", valueName: "file"))
    var topology = "topology.yaml"

    @Option(help: ArgumentHelp("Who is asking, where the topology has internal_tls.", valueName: "file"))
    var certificate: String?

    @Option(help: ArgumentHelp("Of the certificate.", valueName: "file"))
    var key: String?

    @Flag(help: "Print JSON.")
    var json = false

    func load() throws -> Deployment {
        let topology = try orExit { () throws(ConfigurationError) in try Topology.load(file: self.topology).topology }
        guard let tls = topology.internalTLS else { return Deployment(topology: topology, http: HTTPClient()) }
        guard let certificate, let key else {
            throw ValidationError("--certificate and --key are needed: \(self.topology) has internal_tls")
        }
        let trust: PeerTrust
        do throws(PeerTrust.Failure) {
            trust = try PeerTrust(.init(ca: tls.ca, certificate: certificate, key: key))
        } catch {
            throw ProbeError("\(error)")
        }
        return Deployment(topology: topology, http: HTTPClient(trust: trust))
    }
}

/// The nodes of a topology, to be asked.
struct Deployment: Sendable {
    var topology: Topology
    var http: HTTPClient

    private static let patience = Duration.seconds(3)

    struct Answer {
        var response: HTTPClient.Response
        var time: Duration

        /// 503 is an answer as good as 200 where a node says how it is.
        func body<Value: Decodable>(_: Value.Type) throws -> Value {
            guard let value = try? JSONDecoder().decode(Value.self, from: Data(response.body)) else {
                throw ProbeError("answered \(response.status)" + (response.status == 200 ? " and something else" : ""))
            }
            return value
        }
    }

    func ask(_ method: String, _ path: String, of node: Topology.Node) async throws -> Answer {
        let begin = ContinuousClock.now
        do throws(HTTPClient.Failure) {
            let response = try await http.perform(
                .init(method, node.internalListener.url + path, timeout: Self.patience, peer: node.name))
            return Answer(response: response, time: .now - begin)
        } catch {
            throw ProbeError(error.description)
        }
    }

    /// All nodes at once; answers in the order of the topology.
    func all<Value: Sendable>(
        _ question: @escaping @Sendable (Topology.Node) async throws -> Value
    ) async -> [(node: Topology.Node, answer: Result<Value, any Error>)] {
        await withTaskGroup(of: (Int, Result<Value, any Error>).self) { group in
            for (i, node) in topology.nodes.enumerated() {
                group.addTask {
                    do { return (i, .success(try await question(node))) } catch { return (i, .failure(error)) }
                }
            }
            var answers: [Int: Result<Value, any Error>] = [:]
            for await (i, answer) in group { answers[i] = answer }
            return topology.nodes.enumerated().compactMap { i, node in answers[i].map { (node, $0) } }
        }
    }
}

struct NodeRow: Encodable, Sendable {
    var name: String
    var role: String
    var region: String
    /// `ready`, `draining`, `not ready`, or why there is no answer.
    var state: String
    var load: Double?
    var rttMs: Double?
    var url: String?

    static let heads = ["node", "role", "region", "state", "load", "rtt", "url"]

    init(_ node: Topology.Node, _ deployment: Deployment) async throws {
        let answer = try await deployment.ask("GET", "/readyz", of: node)
        let facts = try answer.body(NodeFacts.self)
        (name, role, region) = (node.name, node.role.rawValue, node.region)
        state =
            facts.node == node.name
            ? facts.ready ? "ready" : facts.draining ? "draining" : "not ready" : "is \(facts.node)"
        (load, rttMs) = (facts.load, (answer.time / .milliseconds(1)).rounded3)
        url = facts.url.isEmpty ? nil : facts.url
    }

    init(silent node: Topology.Node, _ result: Result<NodeRow, any Error>) {
        (name, role, region) = (node.name, node.role.rawValue, node.region)
        state = if case .failure(let error) = result { "\(error)" } else { "" }
    }

    var cells: [String] {
        [
            name, role, region, state, load.map { "\(Int(($0 * 100).rounded())) %" } ?? "",
            rttMs.map { "\(Int($0.rounded())) ms" } ?? "", url ?? "",
        ]
    }
}

struct BroadcastRow: Encodable {
    var name: String
    var origin: String
    var since: String
    var viewers = 0
    /// Those that it comes through, in the order of the topology.
    var nodes: [String] = []

    static let heads = ["broadcast", "origin", "since", "viewers", "nodes"]

    init(_ summary: BroadcastSummary) { (name, origin, since) = (summary.name, summary.origin, summary.since) }

    mutating func add(_ summary: BroadcastSummary, at node: Topology.Node) {
        viewers += summary.viewers
        nodes.append(node.name)
    }

    var cells: [String] { [name, origin, since, "\(viewers)", nodes.joined(separator: " ")] }
}

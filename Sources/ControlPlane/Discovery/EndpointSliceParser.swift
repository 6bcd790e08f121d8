import FoundationEssentials
import WebRTC
import Yams

/// Reads files of `discovery.k8s.io/v1` EndpointSlices: what `kubectl get endpointslices -o json|yaml` writes, single
/// objects, and YAML with several documents. Other kinds of objects and slices of other services are passed over.
package struct EndpointSliceParser: Sendable {
    package enum Format: Sendable {
        case json, yaml
    }

    /// A file that is not usable as a whole. One line, and short; quotes nothing of the file.
    package struct Failure: Error, Hashable, CustomStringConvertible {
        package var description: String
    }

    package struct Result: Sendable {
        /// In the order of the file, duplicates included.
        package var endpoints: [DiscoveredEndpoint] = []
        /// Slices of the service, endpoints or not.
        package var slices = 0
        /// Addresses that no node can have: rubbish, names, multicast.
        package var unusable = 0
    }

    /// Slices count when their `kubernetes.io/service-name` is this.
    package var service: String
    /// Where a slice names no port (`ports: null`), or several of which none is ours.
    package var port: UInt16

    /// Region of a zone, for slices without a source cluster.
    package var zones: [String: String]

    /// Largest file.
    package static let longestFile = 16 << 20
    /// More endpoints of one file are not read.
    package static let mostEndpoints = 20_000

    package init(service: String, port: UInt16, zones: [String: String] = [:]) {
        (self.service, self.port, self.zones) = (service, port, zones)
    }

    package func parse(_ text: String, _ format: Format) throws(Failure) -> Result {
        guard text.utf8.count <= Self.longestFile else { throw Failure(description: "is too large") }
        let documents: [SliceDocument]
        do {
            documents = try format == .json ? [Self.decodeJSON(text)] : Self.decodeYAML(text)
        } catch let error as Failure {
            throw error
        } catch let error as DecodingError {
            throw Failure(description: Self.explain(error))
        } catch let error as YamlError {
            throw Failure(description: "is not YAML: " + Self.explain(error))
        } catch {
            throw Failure(description: "is not readable")
        }
        guard !documents.isEmpty else { throw Failure(description: "is empty") }
        var result = Result()
        for document in documents {
            guard document.kind != nil else { throw Failure(description: "has no kind: is it a Kubernetes object?") }
            for slice in document.items ?? [document] { collect(slice, into: &result) }
        }
        return result
    }

    // MARK: - From text to objects

    private static func decodeJSON(_ text: String) throws -> SliceDocument {
        let isSpace = { (byte: UInt8) in byte == 32 || 9...13 ~= byte }
        guard !text.utf8.allSatisfy(isSpace) else { throw Failure(description: "is empty") }
        do {
            return try JSONDecoder().decode(SliceDocument.self, from: Data(text.utf8))
        } catch DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty {
            throw Failure(description: JSONFault.find(in: text).map { "is not JSON: \($0)" } ?? "is not JSON")
        }
    }

    private static func decodeYAML(_ text: String) throws -> [SliceDocument] {
        guard YAMLAliases.count(in: text) == 0 else {
            throw Failure(description: "has anchors and aliases, which Kubernetes does not write")
        }
        var documents: [SliceDocument] = []
        var nodes = try Yams.compose_all(yaml: text)
        while let node = nodes.next() {
            // `---` with nothing behind it, as concatenated files have.
            if case .scalar(let scalar) = node, scalar.string.isEmpty { continue }
            documents.append(try YAMLDecoder().decode(SliceDocument.self, from: node))
        }
        // The sequence ends where the text is wrong: what came before it must not pass for the whole.
        if let error = nodes.error { throw error }
        return documents
    }

    private static func explain(_ error: DecodingError) -> String {
        let (problem, context): (String, DecodingError.Context)
        switch error {
        case .dataCorrupted(let its): (problem, context) = ("is not readable", its)
        case .keyNotFound(let key, let its): (problem, context) = ("lacks \(key.stringValue)", its)
        case .typeMismatch(let type, let its): (problem, context) = ("expected \(type)", its)
        case .valueNotFound(let type, let its): (problem, context) = ("expected \(type), found nothing", its)
        @unknown default: return "is not readable"
        }
        // Names of labels are the file's own text.
        let known = context.codingPath.prefix { $0.intValue != nil || SliceDocument.names.contains($0.stringValue) }
        let path = known.map { $0.intValue.map { "[\($0)]" } ?? "." + $0.stringValue }.joined().drop {
            $0 == "."
        }
        return path.isEmpty ? problem : "\(QuotedText.shown(String(path))): \(problem)"
    }

    private static func explain(_ error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            // libyaml's own phrases.
            "line \(mark.line), column \(mark.column): \(QuotedText.shown(problem))"
        case .reader: "unreadable characters"
        case .duplicatedKeysInMapping: "the same key twice"
        default: "unreadable"
        }
    }

    // MARK: - From objects to endpoints

    private func collect(_ slice: SliceDocument, into result: inout Result) {
        // Items of an EndpointSliceList carry no kind of their own.
        guard slice.kind ?? SliceDocument.sliceKind == SliceDocument.sliceKind,
            slice.metadata?.labels?["kubernetes.io/service-name"] == service
        else { return }
        result.slices += 1
        let cluster = slice.metadata?.labels?["multicluster.kubernetes.io/source-cluster"]
        let port = choosePort(slice.ports ?? [])
        for endpoint in slice.endpoints ?? [] {
            let conditions = endpoint.conditions
            let isReady =
                conditions?.ready ?? true && conditions?.serving ?? true && !(conditions?.terminating ?? false)
            // A zone that the topology does not map may be called as its region is.
            let region = cluster ?? endpoint.zone.map { zones[$0] ?? $0 }
            for literal in endpoint.addresses ?? [] {
                guard result.endpoints.count < Self.mostEndpoints else { return }
                guard slice.addressType != "FQDN", let address = TransportAddress(literal, port: port),
                    DiscoveredEndpoint.isUsable(address)
                else {
                    result.unusable += 1
                    continue
                }
                result.endpoints.append(
                    .init(address, hostname: endpoint.hostname, region: region, isReady: isReady))
            }
        }
    }

    /// The one called `internal`; else the topology's if it is listed; else the only one; else the topology's.
    private func choosePort(_ listed: [SliceDocument.Port]) -> UInt16 {
        let usable = listed.filter { $0.protocol ?? "TCP" == "TCP" }
        let ports = usable.compactMap { item in
            item.port.flatMap(UInt16.init(exactly:)).flatMap { $0 > 0 ? (item.name, $0) : nil }
        }
        if let named = ports.first(where: { $0.0 == "internal" }) { return named.1 }
        return ports.count == 1 ? ports[0].1 : port
    }
}

/// An EndpointSlice or a list of them, as far as we look. Fields that Kubernetes leaves out or writes as null are nil.
private struct SliceDocument: Decodable {
    static let sliceKind = "EndpointSlice"
    /// Of all fields that are looked at.
    static let names: Set = [
        "kind", "metadata", "labels", "addressType", "endpoints", "addresses", "conditions", "ready", "serving",
        "terminating", "hostname", "zone", "ports", "name", "protocol", "port", "items",
    ]

    struct Metadata: Decodable {
        var labels: [String: String]?
    }

    struct Endpoint: Decodable {
        struct Conditions: Decodable {
            var ready: Bool?
            var serving: Bool?
            var terminating: Bool?
        }

        var addresses: [String]?
        var conditions: Conditions?
        var hostname: String?
        var zone: String?
    }

    struct Port: Decodable {
        var name: String?
        var `protocol`: String?
        var port: Int?
    }

    var kind: String?
    var metadata: Metadata?
    var addressType: String?
    var endpoints: [Endpoint]?
    var ports: [Port]?
    var items: [SliceDocument]?

    enum CodingKeys: String, CodingKey {
        case kind, metadata, addressType, endpoints, ports, items
    }

    /// Objects of other kinds may have anything under these keys: they are not looked into, and no list is within another.
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        kind = try container.decodeIfPresent(String.self, forKey: .kind)
        switch kind {
        case "List", "EndpointSliceList":
            guard decoder.codingPath.isEmpty else { break }
            items = try container.decodeIfPresent([SliceDocument].self, forKey: .items) ?? []
        case Self.sliceKind, nil:
            metadata = try container.decodeIfPresent(Metadata.self, forKey: .metadata)
            addressType = try container.decodeIfPresent(String.self, forKey: .addressType)
            endpoints = try container.decodeIfPresent([Endpoint].self, forKey: .endpoints)
            ports = try container.decodeIfPresent([Port].self, forKey: .ports)
        default: break
        }
    }
}

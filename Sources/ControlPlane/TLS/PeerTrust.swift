import Synchronization

/// With what a node proves who it is, a certificate and its key, and whom it believes: other nodes, by the deployment's own
/// authority, or nobody. Read again when the files change; new connections use the new ones.
package final class PeerTrust: Sendable {
    /// PEM files.
    package struct Files: Hashable, Sendable {
        /// One or several authorities; no other is believed. nil: clients show no certificate, as those of the public
        /// listener.
        package var ca: String?
        /// This node's certificate, with intermediate ones behind it.
        package var certificate: String
        package var key: String

        package init(ca: String? = nil, certificate: String, key: String) {
            (self.ca, self.certificate, self.key) = (ca, certificate, key)
        }

        package var all: [String] { [ca, certificate, key].compactMap(\.self) }
    }

    /// What the files held when they were last good together.
    struct Material: Sendable {
        /// nil: nobody is believed.
        var ca: [UInt8]?
        var certificate: [UInt8]
        var key: Secret
    }

    package struct Failure: Error, CustomStringConvertible {
        package enum Part: String, Sendable { case ca, certificate, key }

        package var part: Part
        package var reason: String
        package var description: String { "\(part.rawValue): \(reason)" }
    }

    package let files: Files
    private let current: Mutex<Material>

    /// - Throws: when a file is missing, is not PEM, or key and certificate are not a pair.
    package init(_ files: Files) throws(Failure) {
        self.files = files
        current = Mutex(try Self.read(files))
    }

    var material: Material { current.withLock { $0 } }

    /// On failure everything stays as it was.
    package func reload() throws(Failure) {
        let material = try Self.read(files)
        current.withLock { $0 = material }
    }

    private static func read(_ files: Files) throws(Failure) -> Material {
        let material = Material(
            ca: try files.ca.map { path throws(Failure) in try read(path, .ca) },
            certificate: try read(files.certificate, .certificate),
            key: Secret(bytes: try read(files.key, .key)))
        _ = try TLSServerContext(material)
        return material
    }

    private static func read(_ path: String, _ part: Failure.Part) throws(Failure) -> [UInt8] {
        switch TextFile.read(path, atMost: 1 << 20) {
        case .problem(let reason): throw Failure(part: part, reason: "\(QuotedText.shown(path)) \(reason)")
        case .text(let text): return Array(text.utf8)
        }
    }
}

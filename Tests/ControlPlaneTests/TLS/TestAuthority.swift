import Foundation
import Testing

@testable import ControlPlane

/// A certificate authority made by `openssl` in a folder of the test's own.
struct TestAuthority: Sendable {
    let folder: TemporaryFolder
    let name: String

    init(_ name: String = "ca", in folder: TemporaryFolder) throws {
        (self.folder, self.name) = (folder, name)
        try run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=\(name)", "-keyout", folder.file("\(name).key"), "-out", folder.file("\(name).pem"))
    }

    var path: String { folder.file("\(name).pem") }

    /// Makes `file`.pem and `file`.key for the node `node`, good for `days` from now; a negative number has expired.
    func issue(_ node: String, days: Int = 1, as file: String? = nil) throws {
        let file = file ?? node
        let request = folder.file("\(file).csr")
        try run(
            "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=\(node)", "-addext", "subjectAltName=DNS:\(node)",
            "-keyout", folder.file("\(file).key"), "-out", request)
        try run(
            "openssl", "x509", "-req", "-in", request, "-CA", path, "-CAkey", folder.file("\(name).key"),
            "-copy_extensions", "copy", "-days", "\(days)", "-out", folder.file("\(file).pem"))
    }

    func files(_ node: String) -> PeerTrust.Files {
        .init(ca: path, certificate: folder.file("\(node).pem"), key: folder.file("\(node).key"))
    }
}

/// Runs a program of the system to its end; its standard output.
@discardableResult
func run(_ program: String, _ arguments: String...) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(program) \(arguments) ended with \(process.terminationStatus)")
    return String(decoding: data, as: UTF8.self)
}

/// The status that curl sees; 000: none.
///
/// - Parameter format: what of the answer is asked for instead, as for `--write-out`.
func curl(_ options: [String], _ format: String = "%{http_code}") async throws -> String {
    // On a thread of its own: the node that is to answer needs those of the tests.
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try waitForCurl(options, format) }) }
    }
}

private func waitForCurl(_ options: [String], _ format: String) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments =
        ["curl", "--silent", "--max-time", "60", "--output", "/dev/null", "--write-out", format] + options
    process.standardOutput = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
}

extension Topology {
    /// Internal listeners speak TLS with the files of `folder`: ca.pem, NAME.pem and NAME.key.
    mutating func useTLS(in folder: TemporaryFolder) {
        internalTLS = .init(
            ca: folder.file("ca.pem"), certificate: folder.file("{node}.pem"), key: folder.file("{node}.key"))
        for index in nodes.indices { nodes[index].internalListener.url.replace("http://", with: "https://") }
    }
}

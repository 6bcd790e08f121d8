/// One HTTP request and its answer over libcurl, for signalling only: small bodies, bounded in time and size.
///
/// All exchanges of the process run on one thread (`TransferLoop`). Redirects are not followed here: what may follow one depends on the protocol above (`WHIPClient`).
package final class HTTPClient: Sendable {
    package struct Request: Sendable {
        package var method: String
        /// Absolute, `http` or `https`.
        package var url: String
        package var headers: [(name: String, value: String)]
        package var body: [UInt8]
        /// From the first name look-up to the last byte of the answer.
        package var timeout: Duration
        /// The name of the node that should answer, for a client that believes nodes only (`PeerTrust`).
        package var peer: String?

        package init(
            _ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
            timeout: Duration = .seconds(10), peer: String? = nil
        ) {
            (self.method, self.url, self.headers, self.body, self.timeout) = (method, url, headers, body, timeout)
            self.peer = peer
        }
    }

    package struct Response: Sendable {
        package var status: Int
        /// In the order received, names as written.
        package var headers: [(name: String, value: String)]
        package var body: [UInt8]

        /// The first header of that name, whatever its case.
        package func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }

        package var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// No answer: the URL is unusable, nobody listens, the time was up, or the answer was too large.
    package struct Failure: Error, CustomStringConvertible, Sendable {
        package var description: String
    }

    /// Longest answer accepted: an SDP is a few kilobytes, a metrics page some hundred.
    package static let maximumResponse = 1 << 20

    private let line: ExchangeLine
    private let trust: PeerTrust?

    /// - Parameters:
    ///   - exchanges: how many may run at once; more wait in line, and their time runs meanwhile.
    ///   - trust: who is believed on `https`, and as whom we go; nil: whom the system believes, as nobody.
    package init(exchanges: Int = 32, trust: PeerTrust? = nil) {
        self.trust = trust
        line = ExchangeLine(atOnce: exchanges)
    }

    /// Not ended by the caller's cancellation once it has begun: what was sent may have been understood.
    package func perform(_ request: Request) async throws(Failure) -> Response {
        guard !Task.isCancelled else { throw Failure(description: "cancelled before it began") }
        let deadline = ContinuousClock.now + request.timeout
        let result = await withCheckedContinuation { continuation in
            let answer = { @Sendable [line] (result: Result<Response, Failure>) in
                line.leave()
                continuation.resume(returning: result)
            }
            let isInLine = line.enter { [trust] in
                let left = deadline - .now
                guard left > .zero else { return answer(.failure(Failure(description: "no time left"))) }
                let order = TransferOrder(
                    method: request.method, url: request.url, headers: request.headers, body: request.body,
                    trust: trust, peer: request.peer, connectTimeout: left, timeout: left)
                TransferLoop.shared.start(TransferLoop.shared.makeID(), order) { Exchange(answer) }
            }
            if !isInLine {
                continuation.resume(returning: .failure(Failure(description: "too many requests wait already")))
            }
        }
        return try result.get()
    }
}

/// Collects the answer to one request.
private final class Exchange: TransferReceiver {
    private let answer: (Result<HTTPClient.Response, HTTPClient.Failure>) -> Void
    private var head = ResponseHead()
    private var body: [UInt8] = []

    init(_ answer: @escaping (Result<HTTPClient.Response, HTTPClient.Failure>) -> Void) { self.answer = answer }

    func take(_ head: ResponseHead) -> Bool {
        self.head = head
        return true
    }

    func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard body.count + bytes.count <= HTTPClient.maximumResponse else { return false }
        unsafe body.append(contentsOf: bytes)
        return true
    }

    func end(_ end: Transfer.End) {
        switch end {
        case .finished: answer(.success(.init(status: head.status, headers: head.headers, body: body)))
        case .overdue: answer(.failure(.init(description: "no time left")))
        case .failed(let reason): answer(.failure(.init(description: reason)))
        }
    }

    /// The order has its own.
    func deadline(after _: ContinuousClock.Instant) -> ContinuousClock.Instant? { nil }
}

internal import CCurl
internal import NIOPosix

/// One HTTP request and its answer over libcurl, for signalling only: small bodies, bounded in time and size.
///
/// Each exchange blocks a thread of a small pool of its own, so a peer that accepts and never answers cannot hold up
/// the event loops. Redirects are not followed here: what may follow one depends on the protocol above (`WHIPClient`).
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

    private let pool: NIOThreadPool
    private let trust: PeerTrust?

    /// - Parameters:
    ///   - threads: how many exchanges may run at once; more wait in line, and their time runs meanwhile.
    ///   - trust: who is believed on `https`, and as whom we go; nil: whom the system believes, as nobody.
    package init(threads: Int = 32, trust: PeerTrust? = nil) {
        self.trust = trust
        pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
    }

    deinit { pool.shutdownGracefully { _ in } }

    package func perform(_ request: Request) async throws(Failure) -> Response {
        let result: Result<Response, Failure>
        let deadline = ContinuousClock.now + request.timeout
        do {
            result = try await pool.runIfActive { [trust] in
                var request = request
                request.timeout = deadline - .now
                return performBlocking(request, trust)
            }
        } catch {
            throw Failure(description: "cancelled before it began")
        }
        return try result.get()
    }

}

/// What libcurl's callbacks fill while a transfer runs.
private final class Transfer {
    var head = ResponseHead()
    var body: [UInt8] = []
}

private func performBlocking(
    _ request: HTTPClient.Request, _ trust: PeerTrust?
) -> Result<HTTPClient.Response, HTTPClient.Failure> {
    let milliseconds = Int(request.timeout / .milliseconds(1))
    guard milliseconds > 0 else { return .failure(.init(description: "no time left")) }
    guard let handle = unsafe CurlHandle.make(connectTimeout: request.timeout) else {
        return .failure(.init(description: "libcurl did not initialise"))
    }
    defer { unsafe curl_easy_cleanup(handle) }
    let transfer = Transfer()
    let addresses = unsafe CurlOptions(url: request.url, trust: trust, peer: request.peer).apply(to: handle)
    defer { unsafe curl_slist_free_all(addresses) }
    let reason = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    defer { unsafe reason.deallocate() }
    unsafe reason.pointee = 0
    unsafe ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, reason)
    unsafe ccurl_set_long(handle, CURLOPT_TIMEOUT_MS, milliseconds)
    if request.method == "HEAD" { unsafe ccurl_set_long(handle, CURLOPT_NOBODY, 1) }
    if !request.body.isEmpty || request.method == "POST" {
        unsafe ccurl_set_long(handle, CURLOPT_POST, 1)
        unsafe ccurl_set_long(handle, CURLOPT_POSTFIELDSIZE, request.body.count)
        if request.body.isEmpty {
            // Without any fields libcurl would read the body from standard input.
            unsafe ccurl_set_string(handle, CURLOPT_COPYPOSTFIELDS, "")
        } else {
            _ = unsafe request.body.withUnsafeBytes {
                unsafe ccurl_set_pointer(handle, CURLOPT_COPYPOSTFIELDS, $0.baseAddress)
            }
        }
    }
    unsafe ccurl_set_string(handle, CURLOPT_CUSTOMREQUEST, request.method)

    // The body is sent without waiting for 100 Continue.
    let hasType = request.headers.contains { $0.name.lowercased() == "content-type" }
    let list = unsafe CurlHandle.headerList(
        request.headers, suppressed: hasType ? ["Expect"] : ["Expect", "Content-Type"])
    defer { unsafe curl_slist_free_all(list) }
    unsafe ccurl_set_list(handle, CURLOPT_HTTPHEADER, list)

    let context = unsafe Unmanaged.passUnretained(transfer).toOpaque()
    unsafe ccurl_set_pointer(handle, CURLOPT_WRITEDATA, context)
    unsafe ccurl_set_callback(handle, CURLOPT_WRITEFUNCTION) { data, size, count, context in
        guard let data = unsafe data, let context = unsafe context else { return 0 }
        let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
        guard transfer.body.count + size * count <= HTTPClient.maximumResponse else { return 0 }
        unsafe transfer.body.append(contentsOf: UnsafeRawBufferPointer(start: data, count: size * count))
        return size * count
    }
    unsafe ccurl_set_pointer(handle, CURLOPT_HEADERDATA, context)
    unsafe ccurl_set_callback(handle, CURLOPT_HEADERFUNCTION) { data, size, count, context in
        guard let data = unsafe data, let context = unsafe context else { return 0 }
        let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
        _ = unsafe transfer.head.take(UnsafeRawBufferPointer(start: data, count: size * count))
        return size * count
    }

    let code = withExtendedLifetime(transfer) { unsafe curl_easy_perform(handle) }
    guard code == CURLE_OK else {
        let text = unsafe String(cString: reason.pointee == 0 ? curl_easy_strerror(code) : UnsafePointer(reason))
        return .failure(.init(description: text))
    }
    return .success(.init(status: transfer.head.status, headers: transfer.head.headers, body: transfer.body))
}

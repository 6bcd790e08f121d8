internal import CCurl

/// One HTTP request, for `TransferLoop`.
struct TransferOrder: Sendable {
    var method: String
    /// Absolute, `http` or `https`.
    var url: String
    var headers: [(name: String, value: String)]
    var body: [UInt8] = []
    /// Who is believed on `https`, and as whom we go; nil: whom the system believes, as nobody.
    var trust: PeerTrust?
    /// The node that should answer; see `CurlOptions`.
    var peer: String?
    var connectTimeout: Duration
    /// From now to the last byte of the answer; nil: as long as the receiver's `deadline` allows.
    var timeout: Duration?
}

/// Hears of one transfer, on the loop's thread.
protocol TransferReceiver: AnyObject {
    /// Status and fields of the answer, once. False: it ends here.
    func take(_ head: ResponseHead) -> Bool
    /// Some of the body. False: it ends here.
    func take(_ bytes: UnsafeRawBufferPointer) -> Bool
    /// The last call.
    func end(_ end: Transfer.End)
    /// When it is overdue if nothing more comes after `lastByte`.
    func deadline(after lastByte: ContinuousClock.Instant) -> ContinuousClock.Instant?
}

/// A request under way and its libcurl handle, whose callbacks come from inside `curl_multi_perform`.
@safe final class Transfer {
    enum End {
        case finished, overdue
        /// libcurl's reason; also when the receiver wanted no more.
        case failed(String)
    }

    let handle: UnsafeMutableRawPointer
    let receiver: any TransferReceiver
    private let headers: UnsafeMutablePointer<curl_slist>?
    private let addresses: UnsafeMutablePointer<curl_slist>?
    private let text: UnsafeMutablePointer<CChar>
    private var head = ResponseHead()
    private var hasHead = false
    private var lastByte = ContinuousClock.now

    /// nil: libcurl did not initialise.
    init?(_ order: TransferOrder, _ receiver: any TransferReceiver) {
        guard let handle = unsafe CurlHandle.make(connectTimeout: order.connectTimeout) else { return nil }
        self.receiver = receiver
        unsafe self.handle = unsafe handle
        unsafe addresses = unsafe CurlOptions(url: order.url, trust: order.trust, peer: order.peer).apply(to: handle)
        // The body is sent without waiting for 100 Continue.
        let hasType = order.headers.contains { $0.name.lowercased() == "content-type" }
        unsafe headers = unsafe CurlHandle.headerList(
            order.headers, suppressed: hasType ? ["Expect"] : ["Expect", "Content-Type"])
        unsafe text = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe text.pointee = 0
        unsafe ccurl_set_list(handle, CURLOPT_HTTPHEADER, headers)
        unsafe ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, text)
        if let timeout = order.timeout {
            unsafe ccurl_set_long(handle, CURLOPT_TIMEOUT_MS, max(1, Int(timeout / .milliseconds(1))))
        }
        setBody(order)
        setCallbacks()
    }

    deinit {
        unsafe curl_easy_cleanup(handle)
        unsafe curl_slist_free_all(headers)
        unsafe curl_slist_free_all(addresses)
        unsafe text.deallocate()
    }

    var address: UInt { unsafe UInt(bitPattern: handle) }

    var deadline: ContinuousClock.Instant? { receiver.deadline(after: lastByte) }

    func reason(of code: CURLcode) -> String {
        unsafe String(cString: text.pointee == 0 ? curl_easy_strerror(code) : UnsafePointer(text))
    }

    private func setBody(_ order: TransferOrder) {
        if order.method == "HEAD" { unsafe ccurl_set_long(handle, CURLOPT_NOBODY, 1) }
        if !order.body.isEmpty || order.method == "POST" {
            unsafe ccurl_set_long(handle, CURLOPT_POST, 1)
            unsafe ccurl_set_long(handle, CURLOPT_POSTFIELDSIZE, order.body.count)
            if order.body.isEmpty {
                // Without any fields libcurl would read the body from standard input.
                unsafe ccurl_set_string(handle, CURLOPT_COPYPOSTFIELDS, "")
            } else {
                _ = unsafe order.body.withUnsafeBytes {
                    unsafe ccurl_set_pointer(handle, CURLOPT_COPYPOSTFIELDS, $0.baseAddress)
                }
            }
        }
        unsafe ccurl_set_string(handle, CURLOPT_CUSTOMREQUEST, order.method)
    }

    private func setCallbacks() {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe ccurl_set_pointer(handle, CURLOPT_WRITEDATA, context)
        unsafe ccurl_set_callback(handle, CURLOPT_WRITEFUNCTION) { data, size, count, context in
            guard let data = unsafe data, let context = unsafe context else { return 0 }
            let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            let goesOn = unsafe transfer.takeBody(UnsafeRawBufferPointer(start: data, count: size * count))
            return goesOn ? size * count : 0
        }
        unsafe ccurl_set_pointer(handle, CURLOPT_HEADERDATA, context)
        unsafe ccurl_set_callback(handle, CURLOPT_HEADERFUNCTION) { data, size, count, context in
            guard let data = unsafe data, let context = unsafe context else { return 0 }
            let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            let goesOn = unsafe transfer.takeHead(UnsafeRawBufferPointer(start: data, count: size * count))
            return goesOn ? size * count : 0
        }
    }

    private func takeHead(_ line: UnsafeRawBufferPointer) -> Bool {
        lastByte = .now
        // Trailers come here too, and heads of 100 Continue.
        guard !hasHead, unsafe head.take(line), head.status >= 200 else { return true }
        hasHead = true
        return receiver.take(head)
    }

    private func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        lastByte = .now
        return unsafe receiver.take(bytes)
    }
}

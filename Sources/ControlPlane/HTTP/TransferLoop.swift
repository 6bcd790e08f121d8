internal import CCurl

/// The thread behind `EventStreamClient`: drives all transfers, sleeps in `curl_multi_poll`.
@safe final class EventStreamLoop {
    private let control: EventStreamControl
    private let multi: UnsafeMutableRawPointer
    private let trust: PeerTrust?
    private var streams: [Int: FollowedStream] = [:]

    /// nil: libcurl did not initialise.
    private init?(_ control: EventStreamControl, _ trust: PeerTrust?) {
        guard let multi = unsafe CurlHandle.makeMulti() else { return nil }
        (self.control, self.trust) = (control, trust)
        unsafe self.multi = unsafe multi
        control.attach(UInt(bitPattern: multi))
    }

    deinit { unsafe _ = curl_multi_cleanup(multi) }

    /// Returns when `control` says stop.
    static func run(_ control: EventStreamControl, _ trust: PeerTrust?) {
        EventStreamLoop(control, trust)?.run()
        control.attach(nil)
        for case .open(_, _, let continuation) in control.endCommands() {
            continuation.yield(.ended(.finished))
            continuation.finish()
        }
    }

    private func run() {
        while let commands = control.takeCommands() {
            for command in commands { apply(command) }
            var running: Int32 = 0
            _ = unsafe curl_multi_perform(multi, &running)
            endFinished()
            let next = endSilent(now: .now)
            _ = unsafe curl_multi_poll(multi, nil, 0, next, nil)
        }
        // Nobody may wake a handle that is gone.
        control.attach(nil)
        for id in Array(streams.keys) { remove(id, .finished) }
    }

    private func apply(_ command: EventStreamControl.Command) {
        switch command {
        // Nobody reads any more, or it has ended: whoever left is told nothing.
        case .close(let id): remove(id, nil)
        case .open(let id, let request, let continuation):
            let stream = FollowedStream(request, trust, continuation)
            guard let stream, unsafe curl_multi_add_handle(multi, stream.handle) == CURLM_OK else {
                continuation.yield(.ended(.failed("libcurl did not initialise")))
                continuation.finish()
                return
            }
            streams[id] = stream
        }
    }

    /// - Parameter end: what the reader is told last.
    private func remove(_ id: Int, _ end: EventStreamClient.End?) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        _ = unsafe curl_multi_remove_handle(multi, stream.handle)
        if let end { stream.end(end) }
    }

    private func endFinished() {
        var waiting: Int32 = 0
        while let message = unsafe curl_multi_info_read(multi, &waiting) {
            guard unsafe message.pointee.msg == CURLMSG_DONE else { continue }
            let (handle, code) = unsafe (message.pointee.easy_handle, message.pointee.data.result)
            guard let id = streams.first(where: { unsafe $0.value.handle == handle })?.key else { continue }
            remove(id, code == CURLE_OK ? .finished : .failed(unsafe String(cString: curl_easy_strerror(code))))
        }
    }

    /// Milliseconds until the next one may be silent for too long.
    private func endSilent(now: ContinuousClock.Instant) -> Int32 {
        var next = now + .seconds(60)
        for (id, stream) in streams {
            let deadline = stream.deadline
            if deadline <= now { remove(id, .silent) } else { next = min(next, deadline) }
        }
        return Int32((next - now) / .milliseconds(1)) + 1
    }
}

/// One stream and its transfer. libcurl's callbacks come from inside `curl_multi_perform`.
@safe private final class FollowedStream {
    let handle: UnsafeMutableRawPointer
    private let silence: Duration
    private let openBy: ContinuousClock.Instant?
    private var lastByte = ContinuousClock.now
    private let headers: UnsafeMutablePointer<curl_slist>?
    private let addresses: UnsafeMutablePointer<curl_slist>?
    private let continuation: AsyncStream<EventStreamClient.Item>.Continuation
    private var head = ResponseHead()
    private var parser = EventStreamParser()
    private var isOpen = false
    /// Why a callback of ours has stopped the transfer.
    private var reason: EventStreamClient.End?

    /// nil: libcurl did not initialise.
    init?(
        _ request: EventStreamClient.Request, _ trust: PeerTrust?,
        _ continuation: AsyncStream<EventStreamClient.Item>.Continuation
    ) {
        guard let handle = unsafe CurlHandle.make(connectTimeout: EventStreamClient.connectTimeout) else { return nil }
        unsafe self.handle = unsafe handle
        unsafe addresses = unsafe CurlOptions(url: request.url, trust: trust, peer: request.peer).apply(to: handle)
        (silence, self.continuation) = (request.silence, continuation)
        openBy = request.patience.map { .now + $0 }
        unsafe headers = unsafe CurlHandle.headerList(request.headers + [("Accept", MediaType.eventStream)])
        unsafe ccurl_set_list(handle, CURLOPT_HTTPHEADER, headers)
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe ccurl_set_pointer(handle, CURLOPT_WRITEDATA, context)
        unsafe ccurl_set_callback(handle, CURLOPT_WRITEFUNCTION) { data, size, count, context in
            guard let data = unsafe data, let context = unsafe context else { return 0 }
            let stream = unsafe Unmanaged<FollowedStream>.fromOpaque(context).takeUnretainedValue()
            let goesOn = unsafe stream.takeBody(UnsafeRawBufferPointer(start: data, count: size * count))
            return goesOn ? size * count : 0
        }
        unsafe ccurl_set_pointer(handle, CURLOPT_HEADERDATA, context)
        unsafe ccurl_set_callback(handle, CURLOPT_HEADERFUNCTION) { data, size, count, context in
            guard let data = unsafe data, let context = unsafe context else { return 0 }
            let stream = unsafe Unmanaged<FollowedStream>.fromOpaque(context).takeUnretainedValue()
            let goesOn = unsafe stream.takeHead(UnsafeRawBufferPointer(start: data, count: size * count))
            return goesOn ? size * count : 0
        }
    }

    deinit {
        unsafe curl_easy_cleanup(handle)
        unsafe curl_slist_free_all(headers)
        unsafe curl_slist_free_all(addresses)
    }

    /// When it counts as silent if nothing more comes.
    var deadline: ContinuousClock.Instant {
        let deadline = lastByte + silence
        return isOpen ? deadline : min(deadline, openBy ?? deadline)
    }

    func end(_ end: EventStreamClient.End) {
        continuation.yield(.ended(reason ?? end))
        continuation.finish()
    }

    /// False: stop here, `reason` says why.
    private func takeHead(_ line: some BidirectionalCollection<UInt8>) -> Bool {
        lastByte = .now
        // Trailers come here too.
        guard !isOpen, head.take(line), head.status >= 200 else { return true }
        let type = head.header("Content-Type") ?? "nothing"
        if head.status != 200 {
            reason = .status(head.status)
        } else if !MediaType.matches(type, MediaType.eventStream) {
            reason = .contentType(type)
        } else {
            isOpen = true
            pass(.opened)
        }
        return reason == nil
    }

    private func takeBody(_ bytes: some Collection<UInt8>) -> Bool {
        lastByte = .now
        do throws(EventStreamParser.Failure) {
            for event in try parser.append(bytes) where reason == nil {
                pass(.event(name: event.name, data: event.data), bytes: event.name.utf8.count + event.data.utf8.count)
            }
        } catch {
            reason = .tooLong
        }
        return reason == nil
    }

    private func pass(_ item: EventStreamClient.Item, bytes: Int = 0) {
        // Two places more than may wait: one for the one too many, the last for `ended`.
        if case .enqueued(let remaining) = continuation.yield(item),
            EventStreamClient.mayWait(EventStreamClient.mostWaiting + 2 - remaining, bytes: bytes)
        {
            return
        }
        reason = .notRead
    }
}

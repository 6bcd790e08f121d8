internal import CCurl

/// What all of our libcurl handles have in common, whoever drives them.
enum CurlHandle {
    private static let isInitialised = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// A handle, to be given its `CurlOptions`; nil: libcurl did not initialise.
    @unsafe static func make(connectTimeout: Duration) -> UnsafeMutableRawPointer? {
        guard isInitialised, let handle = unsafe curl_easy_init() else { return nil }
        unsafe ccurl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, max(1, Int(connectTimeout / .milliseconds(1))))
        return unsafe handle
    }

    /// The multi interface's handle; nil: libcurl did not initialise.
    @unsafe static func makeMulti() -> UnsafeMutableRawPointer? { isInitialised ? unsafe curl_multi_init() : nil }

    /// To be freed with `curl_slist_free_all`. A name or value with control characters is left out: it could bring
    /// lines of its own.
    ///
    /// - Parameter suppressed: fields that libcurl would add by itself.
    @unsafe static func headerList(
        _ headers: [(name: String, value: String)], suppressed: [String] = []
    ) -> UnsafeMutablePointer<curl_slist>? {
        var list: UnsafeMutablePointer<curl_slist>? = nil
        for name in suppressed { unsafe list = unsafe curl_slist_append(list, name + ":") }
        for (name, value) in headers where !(name + value).utf8.contains(where: { $0 < 32 }) {
            unsafe list = unsafe curl_slist_append(list, value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        return unsafe list
    }
}

/// Status and fields of an answer, line by line as libcurl tells them.
struct ResponseHead {
    private(set) var status = 0
    /// In the order received, names as written; at most 100.
    private(set) var headers: [(name: String, value: String)] = []

    /// True at the end of a head. A status line begins a new one (100 Continue, then the answer): only the last counts.
    mutating func take(_ bytes: some BidirectionalCollection<UInt8>) -> Bool {
        let line = String(decoding: bytes, as: UTF8.self)
        let text = line[..<(line.lastIndex { !$0.isNewline && $0 != " " }.map(line.index(after:)) ?? line.startIndex)]
        if text.isEmpty { return true }
        if text.hasPrefix("HTTP/") {
            self = .init()
            // Three digits (RFC 9110 §15); anything else is no status.
            status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            if !(100...999 ~= status) { status = 0 }
        } else if let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), headers.count < 100 {
            let value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            headers.append((String(text[..<colon]), String(value)))
        }
        return false
    }

    /// The first header of that name, whatever its case.
    func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
}

internal import CCurl

/// URLs as libcurl reads them, so that what is compared is what will be connected to.
extension HTTPClient {
    /// `location` as seen from `base` (RFC 3986 §5.2); nil when either is no URL, or names a user: that would be a
    /// credential of the answering server's choice.
    package static func resolve(_ location: String, against base: String) -> String? {
        unsafe parts(of: base, location) { unsafe part(CURLUPART_URL, of: $0) }
    }

    /// Whether two URLs have scheme, host and port in common (RFC 6454 §4); false when one is no URL.
    package static func haveOneOrigin(_ one: String, _ other: String) -> Bool {
        guard let first = origin(of: one), let second = origin(of: other) else { return false }
        return first == second
    }

    private static func origin(of url: String) -> [String]? {
        unsafe parts(of: url) { handle in
            let all = [CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT].compactMap {
                unsafe part($0, of: handle)?.lowercased()
            }
            return all.count == 3 ? all : nil
        }
    }

    /// - Parameter references: the first is absolute, each is resolved against the one before.
    private static func parts<Parts>(of references: String..., read: (OpaquePointer) -> Parts?) -> Parts? {
        guard let handle = unsafe curl_url() else { return nil }
        defer { unsafe curl_url_cleanup(handle) }
        for reference in references {
            let flags = UInt32(CURLU_DISALLOW_USER)
            guard unsafe curl_url_set(handle, CURLUPART_URL, reference, flags) == CURLUE_OK else { return nil }
        }
        return unsafe read(handle)
    }

    private static func part(_ part: CURLUPart, of handle: OpaquePointer) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        // Without this flag the port of a URL that names none is none. A whole URL stays as it is written.
        let flags = part == CURLUPART_PORT ? UInt32(CURLU_DEFAULT_PORT) : 0
        guard unsafe curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text = unsafe text else { return nil }
        defer { unsafe curl_free(text) }
        return unsafe String(cString: text)
    }
}

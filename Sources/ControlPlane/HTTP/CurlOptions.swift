internal import CCurl
import Routing

/// What every libcurl handle of ours is given, whoever drives it.
struct CurlOptions {
    var url: String
    /// nil, or one that believes nobody: the system's authorities, no certificate of our own.
    var trust: PeerTrust?
    /// The node that should answer. Where `trust` is given the certificate must have this name; a text that is no node's
    /// name, such as an address, leaves it at the authority's signature.
    var peer: String?

    /// - Returns: a list that must live as long as the handle and then go to `curl_slist_free_all`; nil as a rule.
    func apply(to handle: UnsafeMutableRawPointer) -> UnsafeMutablePointer<curl_slist>? {
        unsafe ccurl_set_string(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        unsafe ccurl_set_string(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https")
        unsafe ccurl_set_string(handle, CURLOPT_NOPROXY, "*")
        unsafe ccurl_set_long(handle, CURLOPT_FOLLOWLOCATION, 0)
        // A connection each: none is shared by requests that believe or show different certificates, and a request is
        // never repeated because the connection it was put on had gone.
        unsafe ccurl_set_long(handle, CURLOPT_FRESH_CONNECT, 1)
        unsafe ccurl_set_long(handle, CURLOPT_FORBID_REUSE, 1)
        unsafe ccurl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        // What the path says is what is meant: it was checked by whoever made it.
        unsafe ccurl_set_long(handle, CURLOPT_PATH_AS_IS, 1)
        guard let material = trust?.material, let ca = material.ca, url.hasPrefix("https://") else {
            unsafe ccurl_set_string(handle, CURLOPT_URL, url)
            return nil
        }
        unsafe ccurl_set_string(handle, CURLOPT_CAPATH, nil)
        unsafe ccurl_set_blob(handle, CURLOPT_CAINFO_BLOB, ca, ca.count)
        unsafe ccurl_set_blob(handle, CURLOPT_SSLCERT_BLOB, material.certificate, material.certificate.count)
        unsafe ccurl_set_blob(handle, CURLOPT_SSLKEY_BLOB, material.key.bytes, material.key.bytes.count)
        unsafe ccurl_set_long(handle, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        guard let peer, NodeName.isValid(peer), let target = Target(url) else {
            unsafe ccurl_set_long(handle, CURLOPT_SSL_VERIFYHOST, 0)
            unsafe ccurl_set_string(handle, CURLOPT_URL, url)
            return nil
        }
        // libcurl checks the name of the URL: the URL has the node's name, and the connection goes to its address.
        unsafe ccurl_set_string(handle, CURLOPT_URL, "https://\(peer):\(target.port)\(target.path)")
        let list = unsafe curl_slist_append(nil, "\(peer):\(target.port):\(target.host):\(target.port)")
        unsafe ccurl_set_list(handle, CURLOPT_CONNECT_TO, list)
        return unsafe list
    }

    /// The parts of an `https` URL.
    struct Target: Equatable {
        /// IPv6 in brackets.
        var host: String
        var port: Int
        /// From the first slash on; may be empty.
        var path: String

        init?(_ url: String) {
            let rest = url.dropFirst("https://".utf8.count)
            let end = rest.firstIndex(of: "/") ?? rest.endIndex
            guard let base = TopologySyntax.baseURL("https://" + rest[..<end]) else { return nil }
            host = base.host.contains(":") ? "[\(base.host)]" : base.host
            (port, path) = (base.port, String(rest[end...]))
        }
    }
}

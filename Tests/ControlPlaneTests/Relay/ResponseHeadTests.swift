import Testing

@testable import ControlPlane

// Whatever a server writes where a status should stand, it is one of three digits or none.

@Suite struct ResponseHeadTests {
    @Test(
        arguments: [
            ("HTTP/1.1 200 OK", 200), ("HTTP/2 503", 503), ("HTTP/1.1 100 Continue", 100), ("HTTP/1.1 999", 999),
            ("HTTP/1.1 1000 X", 0), ("HTTP/1.1 99999", 0), ("HTTP/1.1 99", 0), ("HTTP/1.1 -5 X", 0),
            ("HTTP/1.1 +20", 0),
            ("HTTP/1.1 9223372036854775808", 0), ("HTTP/1.1 x", 0), ("HTTP/1.1", 0), ("HTTP/", 0),
        ])
    func statuses(line: String, status: Int) {
        var head = ResponseHead()
        let isWhole = head.take((line + "\r\n").utf8)
        #expect(!isWhole && head.status == status)
    }
}

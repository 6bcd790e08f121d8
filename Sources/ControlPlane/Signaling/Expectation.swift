import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// `Expect: 100-continue` (RFC 9110 §10.1.1): the client holds its body back until it is asked for it. It is asked when a
/// handler begins to read; what is refused without reading gets its final status instead, at once, and `RequestWatch` ends
/// the connection.
final class Expectation: Sendable {
    private let channel: any Channel
    private let isMet = Atomic(false)

    /// nil: the client expects nothing, or has no body.
    ///
    /// - Throws: 417 for what nobody can meet.
    init?(of request: Request, on channel: any Channel) throws(Problem) {
        guard let expected = request.headers[.expect] else { return nil }
        guard expected.lowercased() == "100-continue" else { throw .expectationFailed }
        let length = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard length > 0 || request.headers[.transferEncoding] != nil else { return nil }
        self.channel = channel
    }

    func body(of request: Request) -> RequestBody {
        RequestBody(asyncSequence: Body(base: request.body, expectation: self))
    }

    private func meet() {
        guard !isMet.exchange(true, ordering: .relaxed) else { return }
        channel.triggerUserOutboundEvent(RequestWatch.Event.continue, promise: nil)
    }

    /// Asks for the body when somebody reads it.
    private struct Body: AsyncSequence, Sendable {
        let base: RequestBody
        let expectation: Expectation

        func makeAsyncIterator() -> RequestBody.AsyncIterator {
            expectation.meet()
            return base.makeAsyncIterator()
        }
    }
}

extension Problem {
    static let expectationFailed = Problem(
        .expectationFailed, "expectation-failed", "Nothing but 100-continue can be expected")
}

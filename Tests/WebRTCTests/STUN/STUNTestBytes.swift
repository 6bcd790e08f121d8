// The surface takes spans, tests have arrays, and `#expect` cannot hold a span.
import WebRTC

extension STUNMessage {
    static func parse(_ bytes: [UInt8]) -> STUNMessage? { parse(RawSpan(_elements: bytes.span)) }

    func localUfragKey(in bytes: [UInt8]) -> UInt64? { localUfragKey(in: RawSpan(_elements: bytes.span)) }

    func verifyIntegrity(key: [UInt8], in bytes: [UInt8]) -> Bool {
        verifyIntegrity(key: key, in: RawSpan(_elements: bytes.span))
    }

    func unknownAttributes(in bytes: [UInt8]) -> [UInt16] { unknownAttributes(in: RawSpan(_elements: bytes.span)) }
}

extension ICEAgent {
    mutating func receive(_ bytes: [UInt8], from source: TransportAddress, now: Instant, outbox: Outbox) -> Received {
        receive(RawSpan(_elements: bytes.span), from: source, now: now, outbox: outbox)
    }
}

/// H.264 in RTP (RFC 6184): one NAL unit, several (STAP-A) or a part of one (FU-A) per payload.
///
///     NAL unit and payload header   |F|NRI|  type   |       FU header   |S|E|R|  type   |
package enum H264Payload {
    enum NALUnit {
        static let idrSlice: UInt8 = 5
        static let sei: UInt8 = 6
        static let sequenceParameters: UInt8 = 7
        static let pictureParameters: UInt8 = 8
        static let accessUnitDelimiter: UInt8 = 9
        static let aggregate: UInt8 = 24
        static let fragment: UInt8 = 28
    }

    /// A picture from which a decoder can start: IDR, or a recovery point of an encoder that refreshes its pictures little
    /// by little and makes no IDR (RFC 5104 §3.5.1.1 calls both decoder refresh points). Parameter sets alone are none:
    /// encoders send them before any picture.
    static func isKeyframeStart(_ payload: borrowing RawSpan) -> Bool {
        guard payload.byteCount >= 2 else { return false }
        if payload.octet(at: 0) & 0x1F == NALUnit.fragment {
            let header = payload.octet(at: 1)
            return header & 0x80 != 0 && starts(type: header, data: payload.extracting(2..<payload.byteCount))
        }
        var isStart = false
        forEachUnit(in: payload) { unit in
            isStart = isStart || starts(type: unit.octet(at: 0), data: unit.extracting(1..<unit.byteCount))
        }
        return isStart
    }

    /// Calls `body` with each whole NAL unit of a payload, its header byte first; with none for a fragment, nor behind
    /// what is malformed.
    static func forEachUnit(in payload: borrowing RawSpan, _ body: (borrowing RawSpan) -> Void) {
        guard payload.byteCount >= 2 else { return }
        switch payload.octet(at: 0) & 0x1F {
        case NALUnit.fragment: return
        case NALUnit.aggregate:
            var offset = 1
            while offset + 2 < payload.byteCount {
                let end = offset + 2 + Int(payload.octets2(at: offset))
                guard end > offset + 2, end <= payload.byteCount else { return }
                body(payload.extracting(offset + 2..<end))
                offset = end
            }
        default: body(payload.extracting(0..<payload.byteCount))
        }
    }

    /// `data` is what follows the NAL unit's header byte. Of a picture's slices only the one with macroblock 0 starts
    /// it: `first_mb_in_slice`, the slice header's first field, is 0 where its first bit is 1 (Exp-Golomb).
    private static func starts(type: UInt8, data: borrowing RawSpan) -> Bool {
        guard data.byteCount > 0 else { return false }
        switch type & 0x1F {
        case NALUnit.idrSlice: return data.octet(at: 0) & 0x80 != 0
        case NALUnit.sei: return data.octet(at: 0) == recoveryPoint
        default: return false
        }
    }

    /// `payloadType` of the SEI message (H.264 §D.1.8).
    private static let recoveryPoint: UInt8 = 6

    /// Where the NAL units of an Annex B byte stream lie, without start codes and trailing zeros; empty ones left out.
    package static func nalUnits(in stream: borrowing RawSpan) -> [Range<Int>] {
        var units: [Range<Int>] = []
        var start: Int?
        var zeros = 0
        for at in 0..<stream.byteCount {
            let byte = stream.octet(at: at)
            if byte == 1, zeros >= 2 {
                if let start, start < at - zeros { units.append(start..<at - zeros) }
                start = at + 1
            }
            zeros = byte == 0 ? zeros + 1 : 0
        }
        if let start, start < stream.byteCount - zeros { units.append(start..<stream.byteCount - zeros) }
        return units
    }

    /// RTP payloads of at most `maximumPayload` bytes for one access unit in Annex B format (packetization mode 1); the
    /// last one gets the marker bit. Parameter sets and SEI travel together where they fit; access unit delimiters,
    /// which RTP's marker and timestamp replace, are dropped.
    package static func packetize(accessUnit: [UInt8], maximumPayload: Int = 1_200) -> [[UInt8]] {
        precondition(maximumPayload > 3, "a payload holds more than its headers")
        var payloads: [[UInt8]] = []
        var small: [ArraySlice<UInt8>] = []
        for range in unsafe nalUnits(in: accessUnit.span.bytes) {
            let unit = accessUnit[range]
            let type = accessUnit[range.lowerBound] & 0x1F
            if type == NALUnit.accessUnitDelimiter { continue }
            let isSmall = NALUnit.sei...NALUnit.pictureParameters ~= type && unit.count + 3 <= maximumPayload
            if !isSmall || aggregateLength(small) + 2 + unit.count > maximumPayload {
                payloads += aggregate(small)
                small = []
            }
            if isSmall {
                small.append(unit)
            } else {
                payloads += fragments(unit, maximumPayload)
            }
        }
        return payloads + aggregate(small)
    }

    private static func aggregateLength(_ units: [ArraySlice<UInt8>]) -> Int {
        units.reduce(1) { $0 + 2 + $1.count }
    }

    /// STAP-A (§5.7.1); a single unit goes as it is.
    private static func aggregate(_ units: [ArraySlice<UInt8>]) -> [[UInt8]] {
        guard units.count > 1 else { return units.map { Array($0) } }
        // The most important NRI of them, F if any has it.
        let nri = units.reduce(UInt8(0)) { max($0, $1[$1.startIndex] & 0x60) }
        let forbidden = units.reduce(UInt8(0)) { $0 | $1[$1.startIndex] & 0x80 }
        var payload = [forbidden | nri | NALUnit.aggregate]
        for unit in units {
            payload += [UInt8(unit.count >> 8), UInt8(truncatingIfNeeded: unit.count)]
            payload += unit
        }
        return [payload]
    }

    /// FU-A (§5.8): the NAL unit's header byte is divided between the FU indicator and the FU header.
    private static func fragments(_ unit: ArraySlice<UInt8>, _ maximumPayload: Int) -> [[UInt8]] {
        guard unit.count > maximumPayload else { return [Array(unit)] }
        let header = unit[unit.startIndex]
        let parts = equalParts(of: unit.dropFirst(), atMost: maximumPayload - 2)
        return parts.map { part in
            let start: UInt8 = part.startIndex == unit.startIndex + 1 ? 0x80 : 0
            let end: UInt8 = part.endIndex == unit.endIndex ? 0x40 : 0
            return [header & 0xE0 | NALUnit.fragment, start | end | header & 0x1F] + part
        }
    }
}

import FoundationEssentials
import WebRTC

/// A file named on the command line that cannot be used.
package struct UnusableFile: Error, CustomStringConvertible {
    package var path: String
    package var reason: String
    package var description: String { "\(path): \(reason)" }
}

extension ClipTrack {
    /// Clips are held in memory.
    static let maximumFile = 512 << 20

    /// By the file's first bytes: IVF, Ogg Opus, else Annex B.
    static func load(_ path: String, framesPerSecond: Double) throws -> ClipTrack {
        let bytes = try readFile(path, limit: maximumFile)
        do throws(MediaFileError) {
            if bytes.starts(with: "DKIF".utf8) { return try IVFFile.parse(bytes) }
            if bytes.starts(with: "OggS".utf8) { return try OggOpusFile.parse(bytes) }
            return try AnnexBFile.parse(bytes, framesPerSecond: framesPerSecond)
        } catch {
            throw UnusableFile(path: path, reason: error.description)
        }
    }
}

func readFile(_ path: String, limit: Int) throws -> [UInt8] {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    guard let size = attributes?[.size] as? Int else { throw UnusableFile(path: path, reason: "no such file") }
    guard size <= limit else { throw UnusableFile(path: path, reason: "longer than \(limit >> 10) KiB") }
    guard let data = FileManager.default.contents(atPath: path) else {
        throw UnusableFile(path: path, reason: "not readable")
    }
    return Array(data)
}

// What the fuzzer found stays mended: every target gets its seeds, the inputs that once ended the process, and a number
// of random ones that are the same in every run. A trap ends the test process; the line before it names the target.
import Foundation
import Testing

@Suite(.serialized) struct FuzzReplayTests {
    @Test(arguments: FuzzTarget.all) func nothingTraps(_ target: FuzzTarget) throws {
        let execute = try target.prepare()
        let seeds = target.seeds()
        let found = try Self.regressions(of: target)
        #expect(!seeds.isEmpty)
        for input in seeds + found { execute(input) }
        var mutator = InputMutator(seed: 1, inputs: seeds + found, maximumLength: target.maximumLength)
        for _ in 0..<target.mutations { execute(mutator.next()) }
        print(
            "fuzz replay: \(target.name), \(seeds.count) seeds, \(found.count) found before, "
                + "\(target.mutations) mutations")
    }

    @Test func everyFoundInputBelongsToATarget() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(names).isSubset(of: Set(FuzzTarget.all.map(\.name))))
        #expect(Set(FuzzTarget.all.map(\.name)).count == FuzzTarget.all.count)
    }

    private static let folder = testsFolder.appendingPathComponent("FuzzTests/Regressions")

    private static func regressions(of target: FuzzTarget) throws -> [[UInt8]] {
        let place = folder.appendingPathComponent(target.name)
        guard FileManager.default.fileExists(atPath: place.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(at: place, includingPropertiesForKeys: nil)
            .sorted { $0.path < $1.path }.map { Array(try Data(contentsOf: $0)) }
    }
}

extension FuzzTarget: CustomTestStringConvertible {
    var testDescription: String { name }
}

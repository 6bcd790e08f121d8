import Testing

@testable import ControlPlane

// When two processes have one node name, and when one has only taken the place of another.

@Suite struct NameClaimsTests {
    /// Instances of the node `a` in the order in which they are heard, a second apart; `0` is this process, which hears
    /// others only. Answers with the position of each warning.
    private func warnings(_ script: String, own: String = "other", step: Duration = .seconds(1)) -> [Int] {
        var claims = NameClaims(own: own, instance: "0", address: "http://here")
        return script.enumerated().compactMap { index, instance in
            let conflict = claims.hear("a", "\(instance)", at: "10.0.0.\(instance)", now: step * (index + 1))
            return conflict == nil ? nil : index
        }
    }

    @Test(
        arguments: [
            // One process, and one after another.
            ("11111", []), ("1122", []), ("112233", []), ("123", []),
            // The first is heard again although the second has been: both live. Once for each pair.
            ("121", [2]), ("12121212", [2]), ("1122221", [6]), ("1222212", [5]),
            // A third within ten seconds of the last warning has to wait.
            ("1213131", []),
        ] as [(String, [Int])])
    func transcript(script: String, expected: [Int]) {
        if script == "1213131" {
            #expect(warnings(script) == [2])
            #expect(warnings(script, step: .seconds(10)) == [2, 4])
        } else {
            #expect(warnings(script) == expected)
        }
    }

    @Test func ownNameFromAnotherProcess() {
        // This process lives: the first word of another is enough.
        #expect(warnings("1111", own: "a") == [0])
        // This process at another address, or one that does not say its instance.
        #expect(warnings("0000", own: "a") == [])
        var claims = NameClaims(own: "a", instance: "0", address: "http://here")
        #expect(claims.hear("a", "", at: "there", now: .seconds(1)) == nil)
        let conflict = claims.hear("a", "1", at: "there", now: .seconds(2))
        #expect(conflict == .init(name: "a", addresses: ["http://here", "there"]))
    }

    @Test func aConflictIsCountedOnceAndEnds() {
        var claims = NameClaims(own: "other", instance: "0", address: "http://here")
        #expect(claims.hear("a", "1", at: "first", now: .seconds(1)) == nil)
        #expect(claims.hear("a", "2", at: "second", now: .seconds(2)) == nil)
        #expect(!claims.isContested("a", now: .seconds(2)) && claims.count == 0)
        let conflict = claims.hear("a", "1", at: "elsewhere", now: .seconds(3))
        #expect(conflict == .init(name: "a", addresses: ["elsewhere", "second"]))
        _ = claims.hear("a", "2", at: "second", now: .seconds(4))
        #expect(claims.isContested("a", now: .seconds(4)) && claims.count == 1)
        #expect(!claims.isContested("other", now: .seconds(4)))
        // The second is renamed: only the first is heard from here on.
        _ = claims.hear("a", "1", at: "first", now: .seconds(65))
        #expect(!claims.isContested("a", now: .seconds(65)))
    }

    @Test func boundsHold() {
        var claims = NameClaims(own: "own", instance: "0", address: "http://here")
        for i in 0..<3 * NameClaims.mostNames {
            for instance in 0..<2 * NameClaims.mostInstances {
                _ = claims.hear("n\(i)", "\(instance)", at: "x", now: .seconds(i))
            }
        }
        // What was heard last is known, and this process is never forgotten.
        #expect(claims.hear("own", "1", at: "x", now: .seconds(100_000)) != nil)
        let last = "n\(3 * NameClaims.mostNames - 1)"
        #expect(claims.hear(last, "\(2 * NameClaims.mostInstances - 1)", at: "x", now: .seconds(100_000)) != nil)
        #expect(claims.hear("n0", "0", at: "x", now: .seconds(100_000)) == nil)
    }
}

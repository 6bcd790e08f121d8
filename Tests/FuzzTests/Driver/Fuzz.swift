// The program behind `make fuzz`: libFuzzer drives one target. Built only for fuzzing, see Package.swift.
//
//     fuzz list                        names and longest inputs
//     fuzz seeds TARGET FOLDER         writes the target's seeds
//     fuzz TARGET [libFuzzer's own…]

import Foundation

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ callback: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt
) -> CInt

/// libFuzzer's callback carries no context. It is called on the main thread only.
@MainActor private var execute: ([UInt8]) -> Void = { _ in }

/// libFuzzer brings a `main` of its own, but the linker is told that an executable's is MODULE_main.
@_cdecl("fuzz_main")
@MainActor func fuzzMain(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    let words = (0..<Int(count)).compactMap { unsafe arguments[$0].map { unsafe String(cString: $0) } }
    if words.dropFirst().first == "list" {
        for target in FuzzTarget.all { print(target.name, target.maximumLength) }
        return 0
    }
    if words.count == 4, words[1] == "seeds", let target = FuzzTarget.all.first(where: { $0.name == words[2] }) {
        for (i, seed) in target.seeds().enumerated() {
            try? Data(seed).write(to: URL(fileURLWithPath: words[3]).appendingPathComponent("seed-\(i)"))
        }
        return 0
    }
    guard words.count > 1, let target = FuzzTarget.all.first(where: { $0.name == words[1] }),
        let function = try? target.prepare()
    else {
        print("usage: fuzz list | fuzz seeds TARGET FOLDER | fuzz TARGET [options of libFuzzer]")
        return 2
    }
    execute = function
    // libFuzzer does not see the target's name.
    unsafe arguments[1] = arguments[0]
    var (remaining, rest) = unsafe (count - 1, arguments + 1)
    return unsafe runDriver(&remaining, &rest) { start, length in
        let input = unsafe Array(UnsafeBufferPointer(start: start, count: length))
        MainActor.assumeIsolated { execute(input) }
        return 0
    }
}

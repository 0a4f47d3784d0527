import CFuzzer
import Glibc

/// One target in libFuzzer's loop.
enum FuzzRun {
    /// Set once, before the loop: a C function cannot carry it.
    nonisolated(unsafe) private static var target: FuzzTarget?

    /// What one input may ask the allocator for at once and in all: the decoders copy what they read a few times, JSON
    /// a few dozen times, and nothing grows with what a number in the input says.
    private static func allocationLimits(_ input: Int) -> (largest: Int, total: Int) {
        (64 << 10 + 32 * input, 1 << 20 + 4_096 * input)
    }

    static func start(_ target: FuzzTarget, corpus: String, options: [String]) -> Never {
        self.target = target
        do {
            for (number, seed) in target.seeds.enumerated() { try write(seed, to: "\(corpus)/seed-\(number)") }
            try write(dictionary(target), to: "\(corpus).dict")
        } catch {
            say("\(error)")
            exit(2)
        }
        // What is made once, such as tables of the standard library, belongs to no input.
        for seed in target.seeds { _ = target.check(seed) }
        let arguments = ["Fuzz"] + (target.words.isEmpty ? [] : ["-dict=\(corpus).dict"]) + options + [corpus]
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var count = Int32(arguments.count)
        let code = pointers.withUnsafeMutableBufferPointer { buffer in
            var base = buffer.baseAddress
            return LLVMFuzzerRunDriver(&count, &base) { data, size in
                FuzzRun.check(Array(UnsafeBufferPointer(start: data, count: size)))
                return 0
            }
        }
        exit(code)
    }

    private static func check(_ bytes: [UInt8]) {
        guard let target else { return }
        CFuzzer_meter_start()
        let verdict = target.check(bytes)
        let (largest, total) = (CFuzzer_meter_largest(), CFuzzer_meter_total())
        let limits = allocationLimits(bytes.count)
        if case .broken(let why) = verdict { fail(target, why) }
        if largest > limits.largest { fail(target, "\(largest) bytes at once for \(bytes.count) of input") }
        if total > limits.total { fail(target, "\(total) bytes in all for \(bytes.count) of input") }
    }

    private static func fail(_ target: FuzzTarget, _ why: String) -> Never {
        say("\(target.name): \(why)")
        abort()
    }

    /// In libFuzzer's form: one quoted string a line, every byte as `\xNN`.
    private static func dictionary(_ target: FuzzTarget) -> [UInt8] {
        let lines = target.words.map { word in
            let bytes = word.utf8.map { byte in
                let digits = String(byte, radix: 16)
                return "\\x" + (digits.count == 1 ? "0" : "") + digits
            }
            return "\"\(bytes.joined())\"\n"
        }
        return Array(lines.joined().utf8)
    }

    private static func write(_ bytes: [UInt8], to path: String) throws(OpenFailure) {
        guard let file = fopen(path, "w") else {
            throw OpenFailure(description: "\(path): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        fwrite(bytes, 1, bytes.count, file)
    }

    private struct OpenFailure: Error, CustomStringConvertible { let description: String }
}

/// A line on standard error.
func say(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    write(2, bytes, bytes.count)
}

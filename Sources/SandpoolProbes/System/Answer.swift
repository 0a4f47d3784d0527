import CLinux
import Glibc

/// What a system call answered.
struct Answer {
    let value: Int
    /// The `errno` value, 0 when it succeeded.
    let code: Int32

    /// Makes any call by its number (syscall(2)).
    init(_ number: Int32, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, _ e: Int = 0, _ f: Int = 0) {
        value = CLinux_syscall(number, a, b, c, d, e, f)
        code = value == -1 ? errno : 0
    }

    /// Wraps the result of a function of the C library, evaluated just before.
    init(of result: some FixedWidthInteger & SignedInteger) {
        value = Int(result)
        code = result == -1 ? errno : 0
    }

    /// Of an attack that has got through when the call succeeds.
    func outcome(_ call: String) -> Outcome {
        code == 0 ? .through("\(call) succeeded") : .held("\(call): \(Self.text(code))")
    }

    /// Of a call with arguments that cannot work: any other error than a refusal means that the kernel went on to
    /// look at them.
    func refusal(_ call: String) -> Outcome {
        [EPERM, EACCES, ENOSYS].contains(code)
            ? .held("\(call): \(Self.text(code))")
            : .through("\(call) was not refused: \(code == 0 ? "success" : Self.text(code))")
    }

    static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}

extension String {
    /// Lends the text as an address for a raw system call.
    func withAddress<Result>(_ body: (Int) -> Result) -> Result { withCString { body(Int(bitPattern: $0)) } }
}

/// Lends zeroed memory with some values in it, as an argument of a raw system call.
func withMemory<Result>(_ count: Int, _ values: [Int: UInt64] = [:], _ body: (Int) -> Result) -> Result {
    var words = [UInt64](repeating: 0, count: (count + 7) / 8)
    return words.withUnsafeMutableBytes { buffer in
        for (offset, value) in values { buffer.storeBytes(of: value, toByteOffset: offset, as: UInt64.self) }
        return body(Int(bitPattern: buffer.baseAddress))
    }
}

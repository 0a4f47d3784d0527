import CLinux

/// Writes the instructions of a seccomp filter. Each test is complete in itself, with forward jumps of a few
/// instructions, so that no offset has to be patched.
struct FilterAssembler {
    private(set) var program: [sock_filter] = []

    /// What a filter returns (linux/seccomp.h).
    enum Action {
        case allow, killProcess
        case fail(Int32)

        var value: UInt32 {
            switch self {
            case .allow: return 0x7fff_0000
            case .killProcess: return 0x8000_0000
            case .fail(let code): return 0x0005_0000 | UInt32(code)
            }
        }
    }

    /// Fields of `struct seccomp_data`. Only the low half of an argument is looked at: the calls tested here
    /// take 32-bit values there.
    enum Field {
        case number, architecture
        case argument(Int)

        var offset: UInt32 {
            switch self {
            case .number: return 0
            case .architecture: return 4
            case .argument(let index): return 16 + 8 * UInt32(index)
            }
        }
    }

    mutating func load(_ field: Field) { emit(0x20, field.offset) }

    mutating func finish(_ action: Action) { emit(0x06, action.value) }

    /// When the loaded value is `value`.
    mutating func ifEqual(_ value: UInt32, _ action: Action) {
        emit(0x15, value, whenTrue: 0, whenFalse: 1)
        finish(action)
    }

    mutating func ifNotEqual(_ value: UInt32, _ action: Action) {
        emit(0x15, value, whenTrue: 1, whenFalse: 0)
        finish(action)
    }

    mutating func ifAtLeast(_ value: UInt32, _ action: Action) {
        emit(0x35, value, whenTrue: 0, whenFalse: 1)
        finish(action)
    }

    mutating func ifAnyBit(of mask: UInt32, _ action: Action) {
        emit(0x45, mask, whenTrue: 0, whenFalse: 1)
        finish(action)
    }

    /// Runs `body` only for this call; it must end in `finish`. The number has to be loaded before, and is not
    /// afterwards only inside the body.
    mutating func call(_ number: Int32, _ body: (inout FilterAssembler) -> Void) {
        var inner = FilterAssembler()
        body(&inner)
        emit(0x15, UInt32(number), whenTrue: 0, whenFalse: UInt8(clamping: inner.program.count))
        program += inner.program
    }

    private mutating func emit(_ code: UInt16, _ operand: UInt32, whenTrue: UInt8 = 0, whenFalse: UInt8 = 0) {
        program.append(sock_filter(code: code, jt: whenTrue, jf: whenFalse, k: operand))
    }
}

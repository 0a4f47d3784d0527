import CLinux

/// Writes the instructions of a seccomp filter. Each test is complete in itself, so that no offset has to be
/// patched.
struct FilterAssembler: Equatable {
    private(set) var program: [sock_filter] = []

    init() {}

    /// A filter that does this and nothing else.
    init(_ action: Action) { finish(action) }

    /// Two filters behind one comparison of the loaded value.
    static func branch(
        atLeast value: UInt32, _ high: FilterAssembler, otherwise low: FilterAssembler
    ) -> FilterAssembler {
        var branch = FilterAssembler()
        // The long jump has room for any distance, the jumps of a comparison only for 255.
        branch.emit(0x35, value, whenTrue: 0, whenFalse: 1)
        branch.emit(0x05, UInt32(low.program.count))
        branch.program += low.program + high.program
        return branch
    }

    mutating func append(_ other: FilterAssembler) { program += other.program }

    static func == (one: FilterAssembler, other: FilterAssembler) -> Bool {
        one.program.elementsEqual(other.program) {
            $0.code == $1.code && $0.jt == $1.jt && $0.jf == $1.jf && $0.k == $1.k
        }
    }

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

    /// Keeps these bits of the loaded value.
    mutating func mask(_ bits: UInt32) { emit(0x54, bits) }

    mutating func finish(_ action: Action) { emit(0x06, action.value) }

    /// When the loaded value is `value`.
    mutating func ifEqual(_ value: UInt32, _ action: Action) {
        emit(0x15, value, whenTrue: 0, whenFalse: 1)
        finish(action)
    }

    /// Goes on in `body`, which must end in `finish`.
    mutating func ifEqual(_ value: UInt32, _ body: FilterAssembler) {
        emit(0x15, value, whenTrue: 1, whenFalse: 0)
        emit(0x05, UInt32(body.program.count))
        program += body.program
    }

    mutating func ifNotEqual(_ value: UInt32, _ action: Action) {
        emit(0x15, value, whenTrue: 1, whenFalse: 0)
        finish(action)
    }

    mutating func ifAnyBit(of mask: UInt32, _ action: Action) {
        emit(0x45, mask, whenTrue: 0, whenFalse: 1)
        finish(action)
    }

    private mutating func emit(_ code: UInt16, _ operand: UInt32, whenTrue: UInt8 = 0, whenFalse: UInt8 = 0) {
        program.append(sock_filter(code: code, jt: whenTrue, jf: whenFalse, k: operand))
    }
}

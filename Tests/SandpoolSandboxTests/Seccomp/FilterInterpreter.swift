import CLinux

@testable import SandpoolSandbox

/// Runs a filter instruction by instruction, as the kernel would.
struct FilterInterpreter {
    let program: [sock_filter]
    private(set) var steps = 0

    init(_ program: [sock_filter]) { self.program = program }

    /// What the filter returns; nil for an instruction that none of its parts writes.
    mutating func run(
        _ number: UInt32, _ arguments: [UInt32] = [],
        on architecture: SystemCall.Architecture = .current
    ) -> UInt32? {
        steps = 0
        // A program that goes on where one was to load the number begins with it.
        var loaded = number
        var position = 0
        while program.indices.contains(position) {
            let instruction = program[position]
            position += 1
            steps += 1
            switch instruction.code {
            case 0x20: loaded = field(instruction.k, number, arguments, architecture)
            case 0x54: loaded &= instruction.k
            case 0x05: position += Int(instruction.k)
            case 0x15: position += Int(loaded == instruction.k ? instruction.jt : instruction.jf)
            case 0x35: position += Int(loaded >= instruction.k ? instruction.jt : instruction.jf)
            case 0x45: position += Int(loaded & instruction.k != 0 ? instruction.jt : instruction.jf)
            case 0x06: return instruction.k
            default: return nil
            }
        }
        return nil
    }

    /// `struct seccomp_data`.
    private func field(
        _ offset: UInt32, _ number: UInt32, _ arguments: [UInt32], _ architecture: SystemCall.Architecture
    ) -> UInt32 {
        switch offset {
        case 0: return number
        case 4: return architecture.rawValue
        default:
            let index = Int(offset - 16) / 8
            return arguments.indices.contains(index) ? arguments[index] : 0
        }
    }
}

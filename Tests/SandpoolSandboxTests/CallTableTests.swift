import CLinux
import Testing

@testable import SandpoolSandbox

/// The search that a table of calls becomes, run instruction by instruction as the kernel would.
@Suite struct CallTableTests {
    private static let allow = FilterAssembler.Action.allow.value
    private static let refuse = FilterAssembler.Action.fail(1).value
    private static let unknown = FilterAssembler.Action.fail(38).value

    @Test func everyNumberEndsAsTheTableSays() {
        let refused: [Int32] = [0, 1, 2, 7, 9, 100, 101, 102, 103, 255, 256, 257, 400]
        var table = CallTable(otherwise: .allow)
        table.set(refused, to: .fail(1))
        table.set(41) { filter in
            filter.load(.argument(0))
            filter.ifEqual(16, .fail(97))
            filter.finish(.allow)
        }
        let filter = table.assembled(limit: 0x4000_0000, beyond: .fail(38))
        for number in UInt32(0)...600 where number != 41 {
            let expected = refused.contains(Int32(number)) ? Self.refuse : Self.allow
            #expect(result(of: filter, number: number) == expected, "\(number)")
        }
        #expect(result(of: filter, number: 41, argument: 16) == FilterAssembler.Action.fail(97).value)
        #expect(result(of: filter, number: 41, argument: 2) == Self.allow)
        for number: UInt32 in [0x3fff_ffff, 0x4000_0000, 0x4000_0001, .max] {
            #expect(result(of: filter, number: number) == (number < 0x4000_0000 ? Self.allow : Self.unknown))
        }
    }

    @Test func aTableOfManyNumbersIsReachedInFewSteps() {
        var table = CallTable(otherwise: .allow)
        table.set((0..<300).map { $0 * 2 }, to: .fail(1))
        let filter = table.assembled(limit: 0x4000_0000, beyond: .fail(38))
        for number in UInt32(0)..<600 {
            var steps = 0
            let end = result(of: filter, number: number, steps: &steps)
            #expect(end == (number % 2 == 0 ? Self.refuse : Self.allow))
            #expect(steps <= 24, "\(number)")
        }
    }

    private func result(of filter: FilterAssembler, number: UInt32, argument: UInt32 = 0) -> UInt32? {
        var steps = 0
        return result(of: filter, number: number, argument: argument, steps: &steps)
    }

    /// What the filter returns with `number` loaded; nil for an instruction that none of its parts writes.
    private func result(
        of filter: FilterAssembler, number: UInt32, argument: UInt32 = 0, steps: inout Int
    ) -> UInt32? {
        var loaded = number
        var position = 0
        while filter.program.indices.contains(position) {
            let instruction = filter.program[position]
            position += 1
            steps += 1
            switch instruction.code {
            case 0x20: loaded = instruction.k == 16 ? argument : number
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
}

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
            var interpreter = FilterInterpreter(filter.program)
            let end = interpreter.run(number)
            #expect(end == (number % 2 == 0 ? Self.refuse : Self.allow))
            #expect(interpreter.steps <= 24, "\(number)")
        }
    }

    private func result(of filter: FilterAssembler, number: UInt32, argument: UInt32 = 0) -> UInt32? {
        var interpreter = FilterInterpreter(filter.program)
        return interpreter.run(number, [argument])
    }
}

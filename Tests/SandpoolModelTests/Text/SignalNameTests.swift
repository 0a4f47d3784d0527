import SandpoolModel
import Testing

@Suite struct SignalNameTests {
    @Test(
        arguments: [("SIGTERM", 15), ("TERM", 15), ("term", 15), ("sigKill", 9), ("15", 15), ("1", 1), ("64", 64)]
            as [(String, Int)])
    func parses(text: String, number: Int) throws {
        #expect(try SignalName.parse(text) == number)
    }

    @Test(arguments: ["", "0", "65", "-9", "+9", "SIG", "SIGSIGTERM", "TERM ", "9\u{0}", "kill -9"])
    func refuses(text: String) {
        #expect(throws: ValueProblem.self) { try SignalName.parse(text) }
    }

    @Test func everyNumberHasANameThatStandsForIt() throws {
        for number in 1...31 { #expect(try SignalName.parse(SignalName.name(of: number)) == number) }
        #expect(SignalName.name(of: 31) == "SIGSYS")
        #expect(SignalName.name(of: 40) == "signal 40")
        #expect(SignalName.name(of: .min) == "signal \(Int.min)")
    }

    @Test func aSlipIsRecognised() {
        let problem = #expect(throws: ValueProblem.self) { try SignalName.parse("SIGTREM") }
        #expect(problem?.hint == "did you mean SIGTERM?")
    }
}

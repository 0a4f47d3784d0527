import Testing

/// What decides is a value: nothing in it waits, reads a clock, draws a random number or touches the outside. Otherwise
/// a simulated failure would not replay from its seed.
@Suite struct CoreTests {
    /// As they stand in code, split so that this file does not find itself.
    static let impure = [
        "aw" + "ait ", " as" + "ync", "Task" + " {", "Mut" + "ex", "@unchecked", "clock_" + "gettime", ".make" + "(at:",
        "SystemRandom" + "NumberGenerator", ".ran" + "dom(", "import Fo" + "undation", "import Gl" + "ibc",
        "final cl" + "ass",
    ]

    @Test(arguments: impure) func noCoreIsImpure(word: String) throws {
        let files = try SourceTree.files(below: "Sources").filter { $0.path.contains("/Core/") }
        #expect(!files.isEmpty)
        for file in files {
            for (number, line) in file.lines.enumerated() where line.contains(word) && !line.contains("///") {
                Issue.record("\(file.path):\(number + 1) has '\(word)'")
            }
        }
    }
}

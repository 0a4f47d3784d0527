import Testing

/// Habits of this code base that a reviewer should not have to repeat.
@Suite struct StyleTests {
    @Test func filesStaySmall() throws {
        for folder in ["Sources", "Tests"] {
            for file in try SourceTree.files(below: folder) {
                #expect(file.lines.count <= 500, "\(file.path) has \(file.lines.count) lines: is it still one idea?")
            }
        }
    }

    @Test func linesStayReadable() throws {
        for folder in ["Sources", "Tests"] {
            for file in try SourceTree.files(below: folder) {
                for (number, line) in file.lines.enumerated() where line.count > 120 {
                    Issue.record("\(file.path):\(number + 1) has \(line.count) columns")
                }
            }
        }
    }

    /// Words that mark what was left unfinished. Split so that this file does not find itself.
    static let leftOvers = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK", "try" + "!", "fatal" + "Error("]

    @Test(arguments: leftOvers) func nothingIsLeftOver(word: String) throws {
        for file in try SourceTree.files(below: "Sources", endings: ["swift", "c", "h"]) {
            // As a word of its own: mkdtemp's template is not a note to come back.
            for (number, line) in file.lines.enumerated() where " \(line) ".ranges(of: word).contains(where: { range in
                let padded = " \(line) "
                let before = padded[padded.index(before: range.lowerBound)]
                return !before.isLetter && !padded[range.upperBound].isLetter
            }) {
                Issue.record("\(file.path):\(number + 1) has \(word)")
            }
        }
    }

    /// A test waits for a condition, never for time to pass.
    @Test func testsDoNotSleep() throws {
        let sleeps = ["Task." + "sleep", "usleep" + "(", "Thread." + "sleep"]
        for file in try SourceTree.files(below: "Tests") {
            for (number, line) in file.lines.enumerated() where sleeps.contains(where: line.contains) {
                Issue.record("\(file.path):\(number + 1) sleeps")
            }
        }
    }
}

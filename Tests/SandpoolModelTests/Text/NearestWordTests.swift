import SandpoolModel
import Testing

@Suite struct NearestWordTests {
    static let words = ["command", "environment", "timeoutSeconds", "memoryBytes", "image", "mounts", "cpus"]

    @Test(arguments: [
        ("comand", "command"), ("commnad", "command"), ("enviroment", "environment"), ("env", "environment"),
        ("timeout", "timeoutSeconds"), ("memory", "memoryBytes"), ("Image", "image"), ("mount", "mounts"),
        ("cpu", "cpus"), ("imagee", "image"),
    ])
    func findsWhatWasMeant(typed: String, meant: String) {
        #expect(nearestWord(to: typed, in: Self.words) == meant)
    }

    @Test(arguments: ["", "x", "zebra", "entirelyDifferent", String(repeating: "image", count: 100_000)])
    func guessesNothingElse(typed: String) {
        #expect(nearestWord(to: typed, in: Self.words) == nil)
    }
}

import Foundation

/// A program that runs to its end beside a test.
enum Command {
    /// Its standard output; one that fails is an error, unless any end will do.
    @discardableResult
    static func run(_ words: [String], anyEnd: Bool = false) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: words[0])
        process.arguments = Array(words.dropFirst())
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard anyEnd || process.terminationStatus == 0 else {
            throw TestFailure("\(words): \(process.terminationStatus)")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

import Foundation

/// One run of a program, as a test sees it.
struct Command {
    struct Result: Sendable {
        let code: Int32
        let stdout: Data
        let stderr: Data
        var text: String { String(decoding: stdout, as: UTF8.self) }
        var errorText: String { String(decoding: stderr, as: UTF8.self) }
    }

    /// Runs a program to its end, with nothing on standard input.
    ///
    /// Output goes to files, so that a flood on one stream cannot hold up the other.
    static func run(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws -> Result {
        try Scratch.with { scratch in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = try scratch.writable("stdout")
            process.standardError = try scratch.writable("stderr")
            try process.run()
            process.waitUntilExit()
            let signaled = process.terminationReason == .uncaughtSignal
            return Result(
                code: signaled ? 128 + process.terminationStatus : process.terminationStatus,
                stdout: try Data(contentsOf: scratch.url("stdout")),
                stderr: try Data(contentsOf: scratch.url("stderr")))
        }
    }

    /// Runs a program that has to succeed.
    @discardableResult
    static func check(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws -> Result {
        let result = try run(program, arguments, environment: environment)
        guard result.code == 0 else {
            throw Failure(text: "\(program) \(arguments) ended with \(result.code): \(result.errorText)")
        }
        return result
    }
}

struct Failure: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
}

/// A directory that is removed with everything in it when its scope ends.
struct Scratch {
    let base: URL

    static func with<T>(_ body: (Scratch) throws -> T) throws -> T {
        let scratch = try Scratch(name: "sandpool-test-\(UUID().uuidString)")
        defer { scratch.remove() }
        return try body(scratch)
    }

    init(name: String) throws {
        base = FileManager.default.temporaryDirectory.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: base, withIntermediateDirectories: true)
    }

    func url(_ name: String) -> URL { base.appendingPathComponent(name) }
    func path(_ name: String) -> String { url(name).path }

    func writable(_ name: String) throws -> FileHandle {
        FileManager.default.createFile(atPath: path(name), contents: nil)
        return try FileHandle(forWritingTo: url(name))
    }

    func remove() { try? FileManager.default.removeItem(at: base) }
}

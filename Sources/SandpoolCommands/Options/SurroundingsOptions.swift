import ArgumentParser
import FoundationEssentials
import Sandpool
import SandpoolModel

/// Where and as whom a command runs, and with which variables.
struct SurroundingsOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: .init("A variable; K alone takes it from here, where it is set.", valueName: "k=v"))
    var env: [String] = []
    @Option(help: .init("Variables from a file, one K=V a line, # for remarks.", valueName: "file"))
    var envFile: [String] = []
    @Option(name: .shortAndLong, help: .init("Directory to start in.", valueName: "dir"))
    var workdir: String?
    @Option(
        name: .shortAndLong, help: .init("User in the sandbox: a name, or a uid from 0 to 65535.", valueName: "user"))
    var user: String?

    /// Those of the files first, so that the command line's hold.
    func variables(host: [String: String] = ProcessInfo.processInfo.environment) throws -> [String: String] {
        var variables: [String: String] = [:]
        for path in envFile {
            for line in try lines(of: path) {
                try set(line, in: &variables, host: host, source: "--env-file \(path)")
            }
        }
        for entry in env { try set(entry, in: &variables, host: host, source: "--env") }
        return variables
    }

    private func set(
        _ entry: String, in variables: inout [String: String], host: [String: String], source: String
    ) throws {
        let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        do {
            try EnvironmentName.check(name)
        } catch {
            throw SandpoolError(code: "usage", message: "\(source): \(error.message)", hint: error.hint)
        }
        if parts.count == 2 {
            variables[name] = String(parts[1])
        } else if let value = host[name] {
            variables[name] = value
        }
    }

    private func lines(of path: String) throws -> [String] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw SandpoolError(
                code: "usage", message: "--env-file: cannot read \(path)", hint: "check the path and its permissions")
        }
        return String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
            .filter { line in
                guard let first = line.first(where: { !$0.isWhitespace }) else { return false }
                return first != "#"
            }
    }
}

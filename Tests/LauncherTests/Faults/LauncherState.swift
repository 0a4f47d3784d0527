import Foundation
import Glibc
import Testing

/// Everything that a launcher holds on the host, by kind: what a start that failed must have given back.
struct LauncherState: Equatable, CustomStringConvertible {
    /// Its open descriptors, numbers of pipes and sockets left out, and how many of each there are.
    var descriptors: [String: Int] = [:]
    var cgroups: [String] = []
    /// Mount points in its namespace, and directories below `run`, where mounts of one sandbox are put.
    var mounts: [String] = []
    var directories: [String] = []
    var children: [String] = []

    init(of process: LauncherProcess) throws {
        let proc = "/proc/\(process.pid)"
        for number in try Self.names(in: "\(proc)/fd") {
            // One that closes meanwhile is not held.
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(proc)/fd/\(number)")
            else { continue }
            descriptors[Self.kind(target), default: 0] += 1
        }
        for path in process.cgroupDirectories() { cgroups += try Self.names(in: path).map { "\(path)/\($0)" } }
        // Those of a cgroup are files.
        cgroups = cgroups.filter { (try? Self.names(in: $0)) != nil }.sorted()
        let table = try String(contentsOfFile: "\(proc)/mountinfo", encoding: .utf8)
        mounts = table.split(separator: "\n").map { String($0.split(separator: " ")[4]) }.sorted()
        let run = "\(proc)/root\(process.dataDirectory)/run"
        directories = try ["kept", "slots"].flatMap { name in
            try Self.names(in: "\(run)/\(name)").map { "\(name)/\($0)" }
        }.sorted()
        let list = try String(contentsOfFile: "\(proc)/task/\(process.pid)/children", encoding: .utf8)
        children = list.split(separator: " ").map(String.init)
    }

    /// Without what a launcher keeps for the next sandbox and need not have yet: ready net namespaces and spools,
    /// and the id map and mounts of a slot.
    var withoutCaches: LauncherState {
        var state = withoutPools
        state.descriptors["user"] = nil
        state.mounts.removeAll { $0.contains("/run/slots/") }
        return state
    }

    /// Without ready net namespaces, spools and disks (a mount and a file each) alone, whose number changes when
    /// there is nothing else to do.
    var withoutPools: LauncherState {
        var state = self
        state.descriptors["net"] = nil
        state.descriptors["/"] = nil
        state.descriptors = state.descriptors.filter { !$0.key.contains("/spool/#") && !$0.key.contains("/disks/#") }
        return state
    }

    /// Whether every sandbox is gone, whose cgroup is removed a moment after the word of its end, and the pool of
    /// namespaces is full: each takes a socket for a moment while it is made.
    var isIdle: Bool {
        cgroups.isEmpty && children.count == 1 && descriptors["net"] == Self.readyNamespaces + 2
            && descriptors["socket"] == Self.sockets
    }

    /// `SandboxNetwork.Configuration`; beside them the launcher has its own open, twice.
    private static let readyNamespaces = 16
    /// To the worker and to the spooler.
    private static let sockets = 2

    var description: String {
        let counts = descriptors.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return "\(counts); cgroups \(cgroups); \(mounts.count) mounts \(mounts); \(directories); children \(children)"
    }

    private static func kind(_ target: String) -> String {
        // `pipe:[17]`, `net:[4026531840]`, but `anon_inode:[pidfd]` and paths as they are.
        guard let bracket = target.range(of: ":["), target.dropLast().last?.isNumber == true else { return target }
        return String(target[..<bracket.lowerBound])
    }

    private static func names(in path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path)
    }
}

extension LauncherProcess {
    /// What it holds when every sandbox is gone.
    func idleState() throws -> LauncherState {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(30)
        while true {
            let state = try LauncherState(of: self)
            if state.isIdle { return state }
            guard clock.now < end, !ends(within: 5) else { throw TestFailure("the launcher is not idle: \(state)") }
        }
    }

    /// Waits until the launcher holds what it should.
    func awaitState(
        _ what: String, _ wanted: LauncherState, _ part: (LauncherState) -> LauncherState = { $0 }
    ) throws {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(30)
        while true {
            let state = part(try LauncherState(of: self))
            if state == part(wanted) { return }
            guard clock.now < end, !ends(within: 5) else {
                throw TestFailure("\(what): the launcher holds\n\(state)\nand not\n\(part(wanted))")
            }
        }
    }

    /// Its bound on descriptors, as prlimit(1) sets it on a process that runs; nil is what it may have at most.
    func limitDescriptors(to count: Int?) throws { try Self.limitDescriptors(of: pid, to: count) }

    /// - Parameter prefix: words that run prlimit as another user, for a process of that user.
    static func limitDescriptors(of pid: pid_t, to count: Int?, prefix: [String] = []) throws {
        let prlimit = prefix + ["/usr/bin/prlimit", "--pid", "\(pid)"]
        let hard = try Command.run(prlimit + ["--nofile", "-o", "HARD", "--noheadings"])
        let soft = count.map(String.init) ?? hard.trimmingCharacters(in: .whitespacesAndNewlines)
        try Command.run(prlimit + ["--nofile=\(soft):"])
    }

    /// The number that the next descriptor gets.
    func lowestFreeDescriptor() throws -> Int {
        let open = Set(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").compactMap { Int($0) })
        return (0...).first { !open.contains($0) } ?? 0
    }
}

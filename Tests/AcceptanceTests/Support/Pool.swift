import Foundation
import SandpoolModel
import SandpoolTestSupport

/// A coordinator and workers as separate processes, the way users run them.
final class Pool {
    let scratch: Scratch
    let hosts: Hosts
    private(set) var coordinator: Service
    private var workers: [Int: Service] = [:]
    private let port = 7420

    init(workers count: Int) async throws {
        scratch = try Scratch(name: "sandpool-pool-\(UUID().uuidString)")
        hosts = try Hosts(spokes: count)
        coordinator = try Service(
            [
                "coordinator", "start", "--data-dir", scratch.path("coordinator"), "--listen", "0.0.0.0:\(port)",
                "--insecure-http",
            ], log: scratch.url("coordinator.log"), network: hosts.hub)
        let token = scratch.path("coordinator/admin.token")
        try await eventually("the coordinator answers") { [self] in
            guard coordinator.process.isRunning else { throw Failure(text: coordinator.logText) }
            return FileManager.default.fileExists(atPath: token) && (try? cli(["worker", "ls"]).code) == 0
        }
        for index in 0..<count {
            let secret = try check(["token", "create", "--role", "worker", "worker\(index)"]).text
            try secret.write(to: scratch.url("worker\(index).token"), atomically: true, encoding: .utf8)
            try startWorker(index)
        }
        try await eventually("all workers are connected") { [self] in
            try check(["worker", "ls", "--json"]).text.components(separatedBy: "\"connected\"").count == count + 1
        }
    }

    func startWorker(_ index: Int) throws {
        workers[index] = try Service(
            [
                "worker", "start", "--coordinator", "http://\(hosts.hubAddress(index)):\(port)", "--data-dir",
                workerDirectory(index), "--token-file", scratch.path("worker\(index).token"), "--cpus", "1",
                "--memory", "8GiB", "--label", "host=\(index)",
            ], log: scratch.url("worker\(index).log"), network: hosts.spokes[index])
    }

    /// Ends a worker and its launcher at once, as when their host loses power.
    func crashHost(_ index: Int) {
        workers[index]?.crash()
        for launcher in LauncherTraces.processes(workerDirectory(index) + "/launcher") { kill(launcher, SIGKILL) }
    }

    private func workerDirectory(_ index: Int) -> String { scratch.path("worker\(index)") }

    /// Runs the command line as a user of the coordinator's host.
    func cli(_ arguments: [String]) throws -> Command.Result {
        try Command.run(
            "/usr/bin/nsenter", ["--net=/run/netns/\(hosts.hub)", Programs.sandpool] + arguments,
            environment: [
                "SANDPOOL_URL": "http://127.0.0.1:\(port)",
                "SANDPOOL_TOKEN_FILE": scratch.path("coordinator/admin.token"),
            ])
    }

    @discardableResult
    func check(_ arguments: [String]) throws -> Command.Result {
        let result = try cli(arguments)
        guard result.code == 0 else { throw Failure(text: "sandpool \(arguments): \(result.code) \(result.errorText)") }
        return result
    }

    /// Every job, finished ones too.
    func jobs() throws -> [Job] {
        try check(["ls", "-a", "--json", "--limit", "1000"]).text.split(separator: "\n").map {
            try JSONDecoder().decode(Job.self, from: Data($0.utf8))
        }
    }

    var logs: String {
        ([coordinator] + workers.values).map { "--- \($0.log.lastPathComponent)\n\($0.logText)" }.joined(
            separator: "\n")
    }

    func remove() {
        for (index, worker) in workers {
            worker.stop()
            LauncherTraces.end(workerDirectory(index) + "/launcher")
        }
        coordinator.stop()
        hosts.remove()
        scratch.remove()
    }
}

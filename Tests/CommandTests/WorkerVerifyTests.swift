import FoundationEssentials
import Glibc
import SandpoolModel
import SandpoolTestSupport
import Testing

/// `sandpool worker verify`, and what becomes of a host whose sandbox does not hold.
@Suite(.enabled(if: geteuid() == 0, "sandboxes need root"), .serialized, .timeLimit(.minutes(2)))
struct WorkerVerifyTests {
    private func verification(_ text: String) throws -> Verification {
        try JSONDecoder().decode(Verification.self, from: Data(text.utf8))
    }

    private func stored(_ worker: String) throws -> Verification {
        try verification(
            String(decoding: Data(contentsOf: URL(filePath: "\(worker)/verification.json")), as: UTF8.self))
    }

    @Test func theRunningWorkerIsAskedAndShowsIt() async throws {
        try await PoolProcesses.with(worker: true) { pool in
            let data = "\(pool.directory.path)/worker"
            let first = try stored("\(data)/worker")
            #expect(first.summary.isTrusted)
            let result = try verification(pool.check(["worker", "verify", "--quick", "--json", "--data-dir", data]))
            #expect(result.summary.isTrusted && result.at >= first.at)
            #expect(result.runs.map(\.user) == [0, 1_000])
            #expect(try stored("\(data)/worker") == result)
            // The worker opens another session with the news.
            try await eventually("the coordinator knows") {
                try pool.check(["worker", "show", name(pool), "--json"])
                    .contains("\"at\" : \"\(result.at)\"")
            }
            #expect(try pool.check(["worker", "show", name(pool)]).contains(" attacks held, "))
        }
    }

    private func name(_ pool: PoolProcesses) throws -> String {
        let line = try pool.check(["worker", "ls", "--json"]).split(separator: "\n").first ?? ""
        struct Named: Decodable { var name: String }
        return try JSONDecoder().decode(Named.self, from: Data(line.utf8)).name
    }

    @Test func localJobsRelyOnTheFirstOfABoot() throws {
        let directory = try TemporaryDirectory()
        let environment = ["SANDPOOL_DATA_DIR": directory.path]
        let worker = "\(directory.path)/local/worker"
        var seen: [Timestamp] = []
        for _ in 0..<2 {
            let result = try Program.run(["run", "--local", "--block-network", "--", "true"], environment: environment)
            #expect(result.status == 0, "\(result.stderr)")
            seen.append(try stored(worker).at)
        }
        #expect(seen[0] == seen[1])
        let table = try Program.run(["worker", "verify", "--local", "--quick"], environment: environment)
        #expect(table.status == 0, "\(table.stderr)")
        #expect(table.stdout.hasPrefix("PROBE ") && table.stdout.contains("\npivot-root "))
        #expect(try stored(worker).at > seen[1])
        LauncherTraces.end("\(worker)/launcher")
    }

    /// The same programs, but for a probe program that says that one attack succeeded.
    @Test func aHostWhoseSandboxLeaksRunsNothing() throws {
        let directory = try TemporaryDirectory()
        let build = URL(filePath: Program.path).deletingLastPathComponent().path
        let bin = "\(directory.path)/bin"
        try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
        // Not by this process: a child that another test forks meanwhile would hold it open for writing (ETXTBSY).
        for name in ["sandpool", "sandpool-launcher"] {
            let copy = try RunningProgram(["/bin/cp", "\(build)/\(name)", "\(bin)/\(name)"]).waitForEnd()
            #expect(copy.status == 0, "\(copy.stderr)")
        }
        // What the real one says in a sandbox of this host, with one word changed.
        let environment = ["SANDPOOL_DATA_DIR": directory.path]
        let honest = try verification(
            Program.run(["worker", "verify", "--local", "--quick", "--json"], environment: environment).stdout)
        let lines = try (honest.runs.first?.findings ?? []).map { finding in
            var finding = finding
            if finding.probe == "pivot-root" { finding.result = .through }
            return String(decoding: try JSONEncoder().encode(finding), as: UTF8.self)
        }
        let script = "#!/bin/sh\ncat <<'end'\n\(lines.joined(separator: "\n"))\nend\n"
        try Data(script.utf8).write(to: URL(filePath: "\(bin)/sandpool-probe"))
        chmod("\(bin)/sandpool-probe", 0o755)
        let run = try RunningProgram(
            ["\(bin)/sandpool", "run", "--local", "--block-network", "--", "true"], environment: environment
        ).waitForEnd()
        #expect(run.status == 125, "\(run.stderr)")
        #expect(run.stderr.contains("pivot-root got through"), "\(run.stderr)")
        let verify = try RunningProgram(
            ["\(bin)/sandpool", "worker", "verify", "--local", "--quick"], environment: environment
        ).waitForEnd()
        #expect(verify.status == 1, "\(verify.stderr)")
        #expect(verify.stdout.contains("THROUGH"), "\(verify.stderr)")
        LauncherTraces.end("\(directory.path)/local/worker/launcher")
    }
}

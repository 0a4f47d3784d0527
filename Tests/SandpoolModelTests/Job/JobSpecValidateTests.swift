import SandpoolModel
import Testing

@Suite struct JobSpecValidateTests {
    /// One thing changed in a good spec, and the problem that it is.
    struct Change: CustomTestStringConvertible, Sendable {
        var key: String
        var code: SpecProblem.Code
        var label: String
        var apply: @Sendable (inout JobSpec) -> Void
        var testDescription: String { "\(key): \(label)" }

        init(
            _ key: String, _ label: String, code: SpecProblem.Code = .invalidSpec,
            _ apply: @escaping @Sendable (inout JobSpec) -> Void
        ) {
            (self.key, self.code, self.label, self.apply) = (key, code, label, apply)
        }
    }

    static let digest = "sha256:" + String(repeating: "0", count: 64)

    static let bad: [Change] = [
        Change("command", "empty") { $0.command = [] },
        Change("command[0]", "no program") { $0.command = ["", "x"] },
        Change("command[1]", "NUL") { $0.command = ["a", "b\u{0}c"] },
        Change("command", "too many") { $0.command = Array(repeating: "a", count: 4_097) },
        Change("command[1]", "one too long") { $0.command = ["a", String(repeating: "x", count: 131_072)] },
        Change("command", "too long in all") {
            $0.command = Array(repeating: String(repeating: "x", count: 512), count: 2_049)
        },
        Change("environment", "too many") { spec in
            for index in 0...1_024 { spec.environment["V\(index)"] = "" }
        },
        Change("environment", "too long in all") { spec in
            for name in ["A", "B", "C"] { spec.environment[name] = String(repeating: "x", count: 100_000) }
        },
        Change("environment.A", "one too long") { $0.environment["A"] = String(repeating: "x", count: 131_070) },
        Change("environment.A=B", "equals sign") { $0.environment["A=B"] = "x" },
        Change("environment.", "no name") { $0.environment[""] = "x" },
        Change("environment.A", "NUL") { $0.environment["A"] = "\u{0}" },
        Change("environment.A\\u{1b}[2J", "escape in a name") { $0.environment["A\u{1B}[2J"] = "" },
        Change("environment.SANDPOOL_JOB_ID", "reserved") { $0.environment["SANDPOOL_JOB_ID"] = "x" },
        Change("name", "not a name") { $0.name = "a b" },
        Change("user", "too large") { $0.user = "65536" },
        Change("workdir", "relative") { $0.workingDirectory = "a" },
        Change("workdir", "escape") { $0.workingDirectory = "/a/../.." },
        Change("idempotencyKey", "empty") { $0.idempotencyKey = "" },
        Change("idempotencyKey", "too long") { $0.idempotencyKey = String(repeating: "k", count: 256) },
        Change("tags.-", "key") { $0.tags["-"] = "" },
        Change("tags", "too many") { spec in for index in 0...64 { spec.tags["t\(index)"] = "" } },
        Change("require.a", "value") { $0.require["a"] = "\n" },
        Change("image", "not an image") { $0.image = "/etc" },
        Change("image", "registry", code: .unsupported) { $0.image = "python:3.12" },
        Change("image", "built", code: .unsupported) { $0.image = ImageReferenceTests.id },
        Change("allowCIDRs[1]", "IPv6") { $0.network.allowCIDRs = ["192.0.2.0/24", "::/0"] },
        Change("allowCIDRs", "too many") { $0.network.allowCIDRs = Array(repeating: "192.0.2.1", count: 257) },
        Change("allowDomains[0]", "address") { $0.network.allowDomains = ["127.0.0.1"] },
        Change("allowDomains", "too many") { $0.network.allowDomains = Array(repeating: "a.org", count: 257) },
        Change("allowCIDRs", "blocked") { spec in
            spec.network.block = true
            spec.network.allowCIDRs = ["192.0.2.0/24"]
        },
        Change("mounts[0].path", "root") { $0.mounts = [Mount(blob: digest, path: "/", isFile: false)] },
        Change("mounts[0].path", "proc") { $0.mounts = [Mount(blob: digest, path: "/proc/1", isFile: false)] },
        Change("mounts[1].path", "twice") {
            $0.mounts = [
                Mount(blob: digest, path: "/a", isFile: false), Mount(blob: digest, path: "//a/.", isFile: true),
            ]
        },
        Change("mounts[0].blob", "digest") { $0.mounts = [Mount(blob: "sha256:../..", path: "/a", isFile: false)] },
        Change("mounts", "too many") { spec in
            for index in 0...64 { spec.mounts.append(Mount(blob: digest, path: "/\(index)", isFile: false)) }
        },
        Change("downloads[1]", "relative") { $0.downloads = ["/a", "b"] },
        Change("downloads[0]", "root") { $0.downloads = ["/"] },
        Change("downloads", "too many") { $0.downloads = Array(repeating: "/a", count: 65) },
        Change("cpus", "NaN") { $0.resources.cpus = .nan },
        Change("cpus", "negative") { $0.resources.cpus = -1 },
        Change("cpus", "zero") { $0.resources.cpus = 0 },
        Change("cpus", "infinite", code: .overLimit) { $0.resources.cpus = .infinity },
        Change("memoryBytes", "negative") { $0.resources.memoryBytes = .min },
        Change("memoryBytes", "too much", code: .overLimit) { $0.resources.memoryBytes = .max },
        Change("diskBytes", "zero") { $0.resources.diskBytes = 0 },
        Change("diskBytes", "too much", code: .overLimit) { $0.resources.diskBytes = .max },
        Change("pids", "one") { $0.resources.pids = 1 },
        Change("pids", "too many", code: .overLimit) { $0.resources.pids = .max },
        Change("outputBytes", "zero") { $0.resources.outputBytes = 0 },
        Change("timeoutSeconds", "zero") { $0.timeoutSeconds = 0 },
        Change("timeoutSeconds", "NaN") { $0.timeoutSeconds = .nan },
        Change("timeoutSeconds", "endless", code: .overLimit) { $0.timeoutSeconds = .infinity },
        Change("graceSeconds", "negative") { $0.graceSeconds = -0.5 },
        Change("queueTimeoutSeconds", "negative") { $0.queueTimeoutSeconds = -1 },
        Change("idleTimeoutSeconds", "NaN") { $0.idleTimeoutSeconds = .nan },
        Change("priority", "too high") { $0.priority = 1_001 },
        Change("priority", "too low") { $0.priority = .min },
        Change("retries", "negative") { $0.retries = -1 },
        Change("retries", "too many") { $0.retries = 11 },
        Change("retries", "streamed input") { ($0.stdin, $0.retries) = (.stream, 1) },
        Change("rerun", "streamed input") { ($0.stdin, $0.rerun) = (.stream, .safe) },
    ]

    @Test(arguments: bad) func refuses(change: Change) throws {
        var spec = JobSpec(command: ["true"])
        change.apply(&spec)
        let problem = #expect(throws: SpecProblem.self) { try PoolConfiguration().accept(spec) }
        #expect(problem?.key == change.key)
        #expect(problem?.code == change.code)
        let line = problem?.description ?? ""
        #expect(!line.unicodeScalars.contains { $0.value < 0x20 }, "one line without escapes")
        #expect(line.utf8.count < 500)
        #expect(problem?.hint?.isEmpty == false, "says what to do")
    }

    @Test func acceptsEverythingAtItsBound() throws {
        var spec = JobSpec(
            command: ["a"] + Array(repeating: "", count: 4_094) + [String(repeating: "x", count: 131_071)])
        for index in 0..<1_024 { spec.environment["V\(index)"] = "v" }
        for index in 0..<64 { spec.tags["t\(index)"] = String(repeating: "v", count: 255) }
        for index in 0..<64 { spec.mounts.append(Mount(blob: Self.digest, path: "/m/\(index)", isFile: false)) }
        spec.downloads = Array(repeating: "/a", count: 64)
        spec.network.allowCIDRs = Array(repeating: "192.0.2.0/24", count: 256)
        spec.network.allowDomains = Array(repeating: "*.example.org", count: 256)
        (spec.priority, spec.retries, spec.graceSeconds, spec.user) = (-1_000, 10, 0, "65535")
        spec.resources.diskBytes = (1 << 30) - 1
        #expect(try PoolConfiguration().accept(spec).command == spec.command)
    }
}

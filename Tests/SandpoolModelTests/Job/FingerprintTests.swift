import Testing

@testable import SandpoolModel

@Suite struct FingerprintTests {
    /// For each key of the JSON form, two ways to change it.
    static let changes: [JobSpec.CodingKeys: [@Sendable (inout JobSpec) -> Void]] = [
        .command: [{ $0.command = ["a", "b"] }, { $0.command = ["ab"] }],
        .image: [{ $0.image = "host" }, { $0.image = "" }],
        .name: [{ $0.name = "host" }, { $0.name = "" }],
        .tags: [{ $0.tags = ["a": "b"] }, { $0.tags = ["a": "b", "c": ""] }],
        .environment: [{ $0.environment = ["a": "b"] }, { $0.environment = ["a": "b", "c": ""] }],
        .workdir: [{ $0.workingDirectory = "/" }, { $0.workingDirectory = "/a" }],
        .user: [{ $0.user = "0" }, { $0.user = "1" }],
        .cpus: [{ $0.resources.cpus = 1 }, { $0.resources.cpus = 2 }],
        .memoryBytes: [{ $0.resources.memoryBytes = 1 }, { $0.resources.memoryBytes = 2 }],
        .diskBytes: [{ $0.resources.diskBytes = 1 }, { $0.resources.diskBytes = 2 }],
        .pids: [{ $0.resources.pids = 1 }, { $0.resources.pids = 2 }],
        .outputBytes: [{ $0.resources.outputBytes = 1 }, { $0.resources.outputBytes = 2 }],
        .timeoutSeconds: [{ $0.timeoutSeconds = 1 }, { $0.timeoutSeconds = 2 }],
        .graceSeconds: [{ $0.graceSeconds = 1 }, { $0.graceSeconds = 2 }],
        .queueTimeoutSeconds: [{ $0.queueTimeoutSeconds = 1 }, { $0.queueTimeoutSeconds = 2 }],
        .idleTimeoutSeconds: [{ $0.idleTimeoutSeconds = 1 }, { $0.idleTimeoutSeconds = 2 }],
        .blockNetwork: [{ $0.network.block = true }, { $0.network.block = false }],
        .allowCIDRs: [{ $0.network.allowCIDRs = ["a"] }, { $0.network.allowCIDRs = ["a", ""] }],
        .allowDomains: [{ $0.network.allowDomains = ["a"] }, { $0.network.allowDomains = ["a", ""] }],
        .mounts: [
            { $0.mounts = [Mount(blob: "a", path: "b", isFile: true)] },
            { $0.mounts = [Mount(blob: "a", path: "b", isFile: false)] },
            { $0.mounts = [Mount(blob: "ab", path: "", isFile: false)] },
        ],
        .downloads: [{ $0.downloads = ["a"] }, { $0.downloads = ["a", ""] }],
        .require: [{ $0.require = ["a": "b"] }, { $0.require = ["a": "b", "c": ""] }],
        .priority: [{ $0.priority = 1 }, { $0.priority = -1 }],
        .retries: [{ $0.retries = 1 }, { $0.retries = 2 }],
        .rerun: [{ $0.rerun = .safe }, { $0.rerun = .never }],
        .stdin: [{ $0.stdin = .stream }],
        .onDisconnect: [{ $0.onDisconnect = .cancel }],
        .onOutputLimit: [{ $0.onOutputLimit = .end }],
    ]

    @Test func everyFieldCountsAndNoTwoSpecsCollide() {
        var seen: [[UInt8]: String] = [JobSpec(command: ["true"]).fingerprint: "plain"]
        for key in JobSpec.CodingKeys.allCases where key != .idempotencyKey {
            #expect(Self.changes[key] != nil, "\(key.stringValue) has no change here")
            for (index, change) in (Self.changes[key] ?? []).enumerated() {
                var spec = JobSpec(command: ["true"])
                change(&spec)
                let other = seen.updateValue("\(key.stringValue) \(index)", forKey: spec.fingerprint)
                #expect(other == nil, "\(key.stringValue) \(index) is the same as \(other ?? "")")
            }
        }
    }

    @Test func theKeyItselfDoesNotCount() {
        var spec = JobSpec(command: ["true"])
        let plain = spec.fingerprint
        spec.idempotencyKey = "k"
        #expect(spec.fingerprint == plain)
    }

    @Test func theOrderOfADictionaryDoesNotCount() {
        let names = (0..<100).map { "v\($0)" }
        var (left, right) = (JobSpec(command: ["true"]), JobSpec(command: ["true"]))
        for name in names { left.environment[name] = name }
        for name in names.reversed() { right.environment[name] = name }
        #expect(left.fingerprint == right.fingerprint)
    }
}

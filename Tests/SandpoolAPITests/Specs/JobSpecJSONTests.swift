import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolTestSupport
import Testing

@Suite struct JobSpecJSONTests {
    static func decode(_ json: String) throws -> JobSpec { try WireJSON.decode(JobSpec.self, from: json.utf8) }

    static let full = """
        {"allowCIDRs":["192.0.2.0/24"],"allowDomains":["*.example.org"],"blockNetwork":true,"command":["a","b"],\
        "cpus":0.5,"diskBytes":1048576,"downloads":["/out"],"environment":{"A":"B"},"graceSeconds":2.5,\
        "idempotencyKey":"k","idleTimeoutSeconds":30,"image":"host","memoryBytes":2147483648,\
        "mounts":[{"blob":"sha256:00","isFile":true,"path":"/m"}],"name":"n","onDisconnect":"cancel",\
        "onOutputLimit":"end","outputBytes":1024,"pids":16,"priority":-5,"queueTimeoutSeconds":60,\
        "require":{"gpu":"none"},"rerun":"never","retries":3,"stdin":"stream","tags":{"t":"v"},"timeoutSeconds":90,\
        "user":"nobody","workdir":"/w"}
        """

    @Test func aPlainSpecIsSmall() throws {
        #expect(try WireJSON.text(JobSpec(command: ["true"])) == #"{"command":["true"]}"#)
        #expect(try Self.decode(#"{"command":["true"]}"#) == JobSpec(command: ["true"]))
    }

    @Test func everyKeyGoesThereAndBack() throws {
        let spec = try Self.decode(Self.full)
        #expect(try WireJSON.text(spec) == Self.full)
        #expect(spec.network.isBlocked && spec.network.allowCIDRs == ["192.0.2.0/24"])
        #expect(spec.resources.memoryBytes == 2 << 30 && spec.resources.cpus == 0.5)
        #expect(spec.mounts == [Mount(blob: "sha256:00", path: "/m", isFile: true)])
        #expect(spec.workingDirectory == "/w" && spec.stdin == .stream && spec.onDisconnect == .cancel)
        #expect(spec.onOutputLimit == .end)
    }

    /// A host without a network refuses the one and blocks the other.
    @Test func anOpenNetworkThatIsAskedForIsNotTheDefault() throws {
        let spec = try Self.decode(#"{"blockNetwork":false,"command":["true"]}"#)
        #expect(spec != JobSpec(command: ["true"]))
        #expect(try WireJSON.text(spec) == #"{"blockNetwork":false,"command":["true"]}"#)
    }

    @Test func aStringRunsInTheShell() throws {
        #expect(
            try Self.decode(#"{"command":"cd /repo && pytest"}"#).command == ["/bin/sh", "-c", "cd /repo && pytest"])
    }

    @Test func nullIsAsIfLeftOut() throws {
        #expect(try Self.decode(#"{"command":["a"],"image":null,"tags":null,"cpus":null}"#) == JobSpec(command: ["a"]))
    }

    @Test(
        arguments: [
            (#"{"command":["a"],"timeout":5}"#, "timeout: no such key", "did you mean timeoutSeconds?"),
            (#"{"command":["a"],"memory":"2GiB"}"#, "memory: no such key", "did you mean memoryBytes?"),
            (#"{"comand":["a"]}"#, "comand: no such key", "did you mean command?"),
            (#"{"command":["a"],"env":{}}"#, "env: no such key", "did you mean environment?"),
            (#"{"command":["a"],"mounts":[{"blob":"b","path":"/","file":true}]}"#, "mounts[0].file: no such key", nil),
            (#"{"command":["a"],"b\u001b[2J":1}"#, "b\\u{1b}[2J: no such key", nil),
        ] as [(String, String, String?)])
    func anUnknownKeyIsNamed(json: String, message: String, hint: String?) throws {
        let error = #expect(throws: APIError.self) { try Self.decode(json) }
        #expect(error?.status == 422 && error?.code == "unknown_key")
        #expect(error?.message == message)
        if let hint { #expect(error?.hint == hint) } else { #expect(error?.hint?.isEmpty == false) }
    }

    @Test func aKeyInsideAnEnvelopeIsNamedFromTheSpec() {
        let error = #expect(throws: APIError.self) {
            try WireJSON.decode(RunRequest.self, from: #"{"submit":{"_0":{"command":["a"],"cpu":1}}}"#.utf8)
        }
        #expect(error?.message == "cpu: no such key")
        let listed = #expect(throws: APIError.self) {
            try WireJSON.decode([JobSpec].self, from: #"[{"command":["a"]},{"command":["a"],"cpu":1}]"#.utf8)
        }
        #expect(listed?.message == "[1].cpu: no such key")
    }

    @Test(arguments: [
        ("{}", "command: is missing"), (#"{"command":5}"#, "command: not an array"),
        (#"{"command":[5]}"#, "command[0]: not a string"),
        (#"{"command":null}"#, "command: null where a value is needed"),
        (#"{"command":["a"],"cpus":"2"}"#, "cpus: not a number that fits"),
        (#"{"command":["a"],"blockNetwork":1}"#, "blockNetwork: not true or false"),
        (#"{"command":["a"],"tags":[]}"#, "tags: not an object"),
        (#"{"command":["a"],"tags":{"a":1}}"#, "tags.a: not a string"),
        ("[]", "the body: not an object"), ("", "the body is not valid JSON"), ("{", "the body is not valid JSON"),
        ("\u{0}", "the body is not valid JSON"), (#"{"command":["a"]} x"#, "the body is not valid JSON"),
    ])
    func aWrongTypeIsNamed(json: String, message: String) {
        let error = #expect(throws: APIError.self) { try Self.decode(json) }
        #expect(error?.status == 400 && error?.code == "invalid_json")
        #expect(error?.message == message)
    }

    @Test(arguments: [
        #"{"command":["a"],"memoryBytes":1e40}"#, #"{"command":["a"],"memoryBytes":9223372036854775808}"#,
        #"{"command":["a"],"memoryBytes":1.5}"#, #"{"command":["a"],"cpus":1e999}"#,
        #"{"command":["a"],"rerun":"maybe"}"#,
        #"{"command":["a"],"cpus":NaN}"#, #"{"command":["\ud800"]}"#, #"{"command":["a"],"stdin":""}"#,
        String(repeating: "[", count: 100_000), #"{"command":"# + String(repeating: "[", count: 100_000),
        String(repeating: #"{"command":"#, count: 50_000), #"{"command":["a"],"image":{"image":"host"}}"#,
    ])
    func hostileJSONIsRefusedInOneLine(json: String) {
        let error = #expect(throws: APIError.self) { try Self.decode(json) }
        let line = error?.message ?? ""
        #expect(!line.unicodeScalars.contains { $0.value < 0x20 } && line.utf8.count < 600)
    }

    /// Mutated specs decode or are refused, are valid or are refused; nothing traps, and what was accepted encodes to
    /// what it was.
    @Test(arguments: 0..<5 as Range<UInt64>) func neverTraps(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let (original, pool) = (Array(Self.full.utf8), PoolConfiguration())
        for _ in 0..<10_000 {
            let bytes = mutate(original, using: &generator)
            do {
                let spec = try WireJSON.decode(JobSpec.self, from: bytes)
                _ = spec.fingerprint
                _ = try pool.accept(spec)
                guard try WireJSON.decode(JobSpec.self, from: WireJSON.encode(spec)) != spec else { continue }
                Issue.record("\(spec) does not read back, seed \(seed)")
            } catch {
                let length = (error as? APIError)?.message.utf8.count ?? (error as? SpecProblem)?.description.utf8.count
                guard let length, length < 1_000 else { throw error }
            }
        }
    }
}

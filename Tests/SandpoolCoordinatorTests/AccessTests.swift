import NIOCore
import SandpoolAPI
import SandpoolModel
import Testing

@testable import SandpoolCoordinator

/// Tokens, and everything malformed.
@Suite(.timeLimit(.minutes(1)))
struct AccessTests {
    @Test func onlyHealthAnswersWithoutAToken() async throws {
        try await TestServer.run { server in
            #expect(try await server.request("GET", "/health", authorization: nil, body: nil).status == 200)
            for path in ["/v1/jobs", "/v1/tokens", "/v1/workers", "/", "/nowhere", "/v1/worker/session"] {
                for header in [nil, "Bearer wrong", "Bearer ", "Basic \(server.admin)", server.admin] {
                    let answer = try await server.request("GET", path, authorization: header, body: nil)
                    #expect(answer.status == 401, "\(path) with \(header ?? "nothing")")
                    #expect(try WireJSON.decode(ErrorBody.self, from: answer.body).error.code == "unauthorized")
                }
            }
        }
    }

    @Test func rolesMayDoTheirOwnAndNoMore() async throws {
        try await TestServer.run { server in
            let routes: [(method: String, path: String, allowed: Set<TokenRole>)] = [
                ("GET", "/v1/jobs", [.admin, .submit, .read]),
                ("POST", "/v1/jobs", [.admin, .submit]),
                ("POST", "/v1/jobs/x/cancel", [.admin, .submit]),
                ("POST", "/v1/jobs/x/exec", [.admin, .submit]),
                ("GET", "/v1/workers", [.admin, .submit, .read]),
                ("POST", "/v1/workers/x/drain", [.admin]),
                ("GET", "/v1/tokens", [.admin]),
                ("POST", "/v1/blobs", [.admin, .submit]),
                ("POST", "/v1/worker/blobs", [.worker]),
                ("POST", "/v1/worker/session", [.worker]),
            ]
            for role in TokenRole.allCases {
                let token = try await server.token(role).secret
                for route in routes {
                    let body = route.method == "POST" ? "{}" : nil
                    let status = try await server.request(route.method, route.path, token: token, body: body).status
                    #expect((status != 403) == route.allowed.contains(role), "\(role) \(route.method) \(route.path)")
                }
            }
        }
    }

    @Test func revokingATokenCutsItsSession() async throws {
        try await TestServer.run { server in
            let token = try await server.token(.worker)
            let worker = try await FakeWorker(server, token: token.secret)
            let status = try await server.request("DELETE", "/v1/tokens/\(token.token.id)").status
            #expect(status == 204)
            await #expect(throws: TestFailure.self) { _ = try await worker.next() }
            let answer = try await server.failure("GET", "/v1/jobs", token: token.secret)
            #expect(answer.status == 401)
            let listed: [TokenInfo] = try await server.json("GET", "/v1/tokens")
            #expect(listed.first { $0.id == token.token.id }?.revokedAt != nil)
        }
    }

    @Test func aWorkerCannotBeImpersonatedWithAnotherToken() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let error = await #expect(throws: APIError.self) { _ = try await FakeWorker(server, id: worker.id) }
            #expect(error?.code == "foreign_worker")
            try worker.send(.heartbeat(sentMs: 1))
            #expect(try await worker.next() == .heartbeat(sentMs: 1), "its own session goes on")
        }
    }

    @Test func aForgottenWorkersIDIsFreeForAnotherToken() async throws {
        let directory = try TestDirectory()
        let known = Mailbox<(WorkerID, String)>()
        try await TestServer.run(directory: directory) { server in
            let worker = try await FakeWorker(server)
            await known.push((worker.id, try await server.token(.worker).secret))
        }
        guard let (id, other) = await known.next() else { throw TestFailure("no worker") }
        // The binding outlives the coordinator and the worker's session.
        try await TestServer.run(directory: directory) { server in
            let error = await #expect(throws: APIError.self) {
                _ = try await FakeWorker(server, id: id, token: other)
            }
            #expect(error?.code == "foreign_worker")
            _ = try await server.json("POST", "/v1/workers/\(id)/forget", as: WorkerInfo.self)
            _ = try await FakeWorker(server, id: id, token: other)
        }
    }

    @Test func aWorkersTokenIsReplacedAndNothingIsLost() async throws {
        try await TestServer.run { server in
            let worker = try await FakeWorker(server)
            let job = try await server.submit(#"{"command": ["true"], "rerun": "never"}"#)
            let lease = try await worker.assignment().lease
            try worker.progress(lease, .running)
            let body = #"{"name": "next", "role": "worker", "worker": "fake"}"#
            let next: CreatedToken = try await server.json("POST", "/v1/tokens", body: body)
            #expect(next.token.worker == worker.id)
            let held = [HeldAttempt(lease: lease, state: .running, stdoutBytes: 0, stderrBytes: 0)]
            let back = try await FakeWorker(server, id: worker.id, token: next.secret, held: held)
            #expect(back.welcome.keep.map(\.lease) == [lease])
            await #expect(throws: APIError.self) {
                _ = try await FakeWorker(server, id: worker.id, token: worker.token)
            }
            await #expect(throws: APIError.self) { _ = try await FakeWorker(server, token: next.secret) }
            #expect(try await back.finish(lease) == .recorded)
            #expect(try await server.job(job.id, wait: true).attempts.count == 1)
        }
    }

    @Test(arguments: [
        (#"{"name": "n", "role": "admin", "worker": "fake"}"#, 422),
        (#"{"name": "n", "role": "worker", "worker": "nobody"}"#, 404),
    ])
    func aTokenOfNoWorkerIsRefused(body: String, status: Int) async throws {
        try await TestServer.run { server in
            _ = try await FakeWorker(server)
            #expect(try await server.failure("POST", "/v1/tokens", body: body).status == status)
        }
    }

    @Test(arguments: [
        ("GET", "/v1/nowhere", nil, 404, "not_found"),
        ("DELETE", "/v1/jobs", nil, 405, "method_not_allowed"),
        ("GET", "/v1/jobs/sb-01jd8zzzzzzzzzzzzzzzzzzzzz", nil, 404, "not_found"),
        ("GET", "/v1/jobs/%00", nil, 404, "not_found"),
        ("GET", "/v1/jobs?stat=queued", nil, 422, "invalid_query"),
        ("GET", "/v1/jobs?state=done", nil, 422, "invalid_query"),
        ("GET", "/v1/jobs?limit=0", nil, 422, "invalid_query"),
        ("POST", "/v1/jobs", "", 400, "invalid_json"),
        ("POST", "/v1/jobs", "{", 400, "invalid_json"),
        ("POST", "/v1/jobs", "nonsense", 400, "invalid_json"),
        ("POST", "/v1/jobs", "{}", 400, "invalid_json"),
        ("POST", "/v1/jobs", #"{"command": []}"#, 422, "invalid_spec"),
        ("POST", "/v1/jobs", #"{"command": 7}"#, 400, "invalid_json"),
        ("POST", "/v1/jobs", #"{"command": ["true"], "volumes": []}"#, 422, "unknown_key"),
        ("POST", "/v1/jobs", #"{"command": ["true"], "image": "debian:12"}"#, 422, "unsupported"),
        ("POST", "/v1/jobs", #"{"command": ["true"], "timeoutSeconds": 1e9}"#, 422, "over_limit"),
        ("POST", "/v1/jobs", #"[{"command": ["true"]}, {"command": []}]"#, 422, "invalid_spec"),
        ("POST", "/v1/tokens", #"{"name": "", "role": "admin"}"#, 422, "invalid_name"),
        ("POST", "/v1/tokens", #"{"name": "a", "role": "root"}"#, 400, "invalid_json"),
        ("POST", "/v1/run", "{}", 415, "unsupported_media_type"),
        ("GET", "/v1/blobs/sha256:..%2f..%2fadmin.token", nil, 404, "not_found"),
    ] as [(String, String, String?, Int, String)])
    func badRequestsAreAnsweredInJSON(
        method: String, path: String, body: String?, status: Int, code: String
    ) async throws {
        try await TestServer.run { server in
            let answer = try await server.failure(method, path, body: body)
            #expect(answer.status == status)
            #expect(answer.code == code)
            let jobs: [Job] = try await server.json("GET", "/v1/jobs?all=true")
            #expect(jobs.isEmpty, "nothing of a refused request is stored")
        }
    }

    @Test func bodiesAreBounded() async throws {
        try await TestServer.run { server in
            let long = #"{"command": ["true"], "name": ""# + String(repeating: "x", count: 5 << 20) + #""}"#
            #expect(try await server.failure("POST", "/v1/jobs", body: long) == (413, "too_large"))
            let many = "[" + Array(repeating: #"{"command":["true"]}"#, count: 1_001).joined(separator: ",") + "]"
            #expect(try await server.failure("POST", "/v1/jobs", body: many) == (422, "over_limit"))
            let most = "[" + Array(repeating: #"{"command":["true"]}"#, count: 1_000).joined(separator: ",") + "]"
            let jobs: [Job] = try await server.json("POST", "/v1/jobs", body: most)
            #expect(Set(jobs.map(\.id)).count == 1_000)
        }
    }

    @Test func brokenFramesEndARunWithAnError() async throws {
        try await TestServer.run { server in
            let run = try await RunClient(server, .signal(2))
            guard case .event(.failed(let error))? = try await run.next() else { throw TestFailure("no failure") }
            #expect(error.code == "invalid_request")
            let other = try await RunClient(server, .submit(JobSpec(command: ["true"])))
            _ = try await other.created()
            other.connection.send(raw: ByteBuffer(bytes: [0xFF, 0xFF, 0xFF, 0xFF, 1]))
            var last: RunClient.Event?
            while let event = try await other.next() { last = event }
            guard case .event(.failed(let broken))? = last else { throw TestFailure("no failure") }
            #expect(broken.code == "invalid_frame")
        }
    }

    @Test func limitsOfTheConfigurationHold() async throws {
        try await TestServer.run { configuration in
            configuration.pool.limits.memoryBytes = 2 << 30
            configuration.pool.limits.allowsNetwork = false
        } _: { server in
            let memory = #"{"command": ["true"], "blockNetwork": true, "memoryBytes": 4294967296}"#
            let tooMuch = try await server.failure("POST", "/v1/jobs", body: memory)
            #expect(tooMuch == (422, "over_limit"))
            let networked = try await server.failure("POST", "/v1/jobs", body: #"{"command": ["true"]}"#)
            #expect(networked == (422, "over_limit"))
        }
    }

    @Test func aJobThatFitsNoEnrolledWorkerIsRefused() async throws {
        try await TestServer.run { server in
            let before = try await server.submit(#"{"command": ["true"], "cpus": 64}"#)
            #expect(before.state == .queued, "with no worker enrolled it waits")
            let worker = try await FakeWorker(server, labels: ["zone": "a"])
            worker.connection.finish()
            let large = #"{"command": ["true"], "cpus": 64}"#
            #expect(try await server.failure("POST", "/v1/jobs", body: large) == (422, "no_worker_fits"))
            let label = #"{"command": ["true"], "require": {"zone": "b"}}"#
            #expect(try await server.failure("POST", "/v1/jobs", body: label) == (422, "no_worker_fits"))
            let why: Explanation = try await server.json("GET", "/v1/jobs/\(before.id)/why")
            #expect(why.reasons.contains { $0.contains("cpus: 64.0 wanted") })
        }
    }

    /// A disk that does not fit the memory goes to a worker that can make one, or nowhere.
    @Test func aDiskThatNoWorkerCanMakeIsRefused() async throws {
        let capacity = Resources(cpuMillis: 8_000, memoryBytes: 8 << 30, diskBytes: 80 << 30)
        let large = #"{"command": ["true"], "memoryBytes": 1073741824, "diskBytes": 1073741824}"#
        try await TestServer.run { server in
            let before = try await server.submit(large)
            let id = FakeWorker.newID()
            let small = try await FakeWorker(server, id: id, capacity: capacity, makesDisks: false)
            #expect(try await server.failure("POST", "/v1/jobs", body: large) == (422, "no_worker_fits"))
            let why: Explanation = try await server.json("GET", "/v1/jobs/\(before.id)/why")
            #expect(why.reasons.first?.hasPrefix("diskBytes: no worker can make a disk of 1GiB") == true, "\(why)")
            let info: WorkerInfo = try await server.json("GET", "/v1/workers/\(id)")
            #expect(info.makesDisks == false)
            // One byte less fits, and goes there though the other has waited longer.
            let less = try await server.submit(large.replacing("1073741824}", with: "1073741823}"))
            #expect(try await small.assignment().job == less.id)
            // One that does not say so is taken for one that can.
            let able = try await FakeWorker(server, capacity: capacity)
            #expect(try await able.assignment().job == before.id)
        }
    }
}

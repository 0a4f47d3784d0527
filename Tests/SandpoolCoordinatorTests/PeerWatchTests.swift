import Glibc
import SandpoolAPI
import SandpoolTestSupport
import Testing

@testable import SandpoolCoordinator

@Suite(.timeLimit(.minutes(1))) struct PeerWatchTests {
    /// The kernel's timers of established connections at a port of this host: what each is for, and hundredths of a
    /// second until it is due (proc_net_tcp, Documentation/networking).
    private static func timers(at port: Int) throws -> [(kind: Int, rest: Int)] {
        let file = try #require(fopen("/proc/self/net/tcp", "re"))
        defer { fclose(file) }
        // It comes a page at a time, which some readers of whole files take for the end.
        var bytes: [UInt8] = []
        var page = [UInt8](repeating: 0, count: 64 << 10)
        while case let count = fread(&page, 1, page.count, file), count > 0 { bytes += page[..<count] }
        let table = String(decoding: bytes, as: UTF8.self)
        return table.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 5, fields[3] == "01", let own = fields[1].split(separator: ":").last,
                Int(own, radix: 16) == port
            else { return nil }
            let timer = fields[5].split(separator: ":").compactMap { Int($0, radix: 16) }
            return timer.count == 2 ? (timer[0], timer[1]) : nil
        }
    }

    @Test func aClientsHostThatIsGoneIsAskedFor() async throws {
        try await TestServer.run { server in
            guard case .tcp(_, let port) = server.address else { throw TestFailure("not TCP") }
            let job = try await server.submit(#"{"command": ["true"]}"#)
            let run = try await RunClient(server, .follow(job: job.id.text, stdout: 0, stderr: 0))
            _ = try await run.created()
            // Other timers take the place of this one (2) while bytes are under way.
            try await eventually("every connection is watched") {
                let timers = try Self.timers(at: port)
                return !timers.isEmpty && timers.allSatisfy { $0.kind == 2 && $0.rest <= PeerWatch.idleSeconds * 100 }
            }
            run.connection.vanish()
        }
    }
}

import Foundation
import SandpoolAPI
import SandpoolModel
import Testing

@testable import SandpoolCoordinator

/// What a coordinator refuses to start with, and how it can be reached.
@Suite(.timeLimit(.minutes(1)))
struct StartTests {
    @Test func aSecondCoordinatorOnADirectoryOrPortIsRefused() async throws {
        let directory = try TestDirectory()
        try await TestServer.run(directory: directory) { server in
            await #expect(throws: CoordinatorError.self) { try await TestServer.run(directory: directory) { _ in } }
            let address = server.address
            let refusal = CoordinatorError(
                "\(address) is in use by another process; stop it or choose another --listen")
            await #expect(throws: refusal) {
                try await TestServer.run { $0.listen = address } _: { _ in }
            }
        }
    }

    @Test func plainHTTPBeyondLoopbackNeedsConsent() async throws {
        await #expect(throws: CoordinatorError.self) {
            try await TestServer.run { $0.listen = .tcp(host: "0.0.0.0", port: 0) } _: { _ in }
        }
    }

    @Test func aNewerDirectoryIsRefused() async throws {
        let directory = try TestDirectory()
        try await TestServer.run(directory: directory) { _ in }
        try "2\n".write(toFile: directory.path + "/data/version", atomically: true, encoding: .utf8)
        await #expect(throws: CoordinatorError.self) { try await TestServer.run(directory: directory) { _ in } }
    }

    @Test func secretsAreTheOwnersAlone() async throws {
        try await TestServer.run { server in
            for (name, mode) in [("", 0o700), ("/admin.token", 0o600), ("/blobs", 0o700), ("/output", 0o700)] {
                let found = try FileManager.default.attributesOfItem(atPath: server.directory + name)
                #expect(found[.posixPermissions] as? Int == mode, "\(name)")
            }
            let database = try Data(contentsOf: URL(fileURLWithPath: server.directory + "/sandpool.sqlite-wal"))
            #expect(database.range(of: Data(server.admin.utf8)) == nil, "only the hash is stored")
        }
    }

    @Test func thePeersOfTheSocketNeedNoToken() async throws {
        let directory = try TestDirectory()
        let socket = directory.path + "/s"
        try await TestServer.run(directory: directory) { $0.listen = .unix(path: socket) } _: { server in
            let mode = try FileManager.default.attributesOfItem(atPath: socket)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            #expect(try await server.request("GET", "/v1/tokens", authorization: nil, body: nil).status == 200)
        }
    }

    @Test(arguments: [
        ("{", "not valid JSON"), (#"{"listn": "x"}"#, "listen"), (#"{"limits": {"cpu": 1}}"#, "cpus"),
        (#"{"blobBytes": 0}"#, "blobBytes"),
        (#"{"retention": {"age": 1}}"#, "ageSeconds"),
        (#"{"retention": {"ageSeconds": 3599}}"#, "retention.ageSeconds"),
        (#"{"retention": {"bytes": 0}}"#, "retention.bytes"),
        (#"{"reserveBytes": 1048575}"#, "reserveBytes"), (#"{"reserveBytes": 1099511627777}"#, "reserveBytes"),
    ])
    func aWrongConfigurationFileNamesItsFault(text: String, fault: String) throws {
        let directory = try TestDirectory()
        let path = directory.path + "/c.json"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let error = #expect(throws: CoordinatorError.self) { try ConfigurationFile.read(path: path) }
        #expect(error?.description.contains(fault) == true, "\(error?.description ?? "")")
    }

    /// What Docs/configuration.md shows is every key at its default.
    @Test func theDocumentedFileChangesNothing() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "Docs/configuration.md"), encoding: .utf8)
        let text = try #require(page.split(separator: "```json\n").last?.split(separator: "```").first)
        let directory = try TestDirectory()
        let path = directory.path + "/c.json"
        try String(text).write(toFile: path, atomically: true, encoding: .utf8)
        let standard = CoordinatorConfiguration(dataDirectory: "/x")
        var configuration = standard
        configuration.listen = .unix(path: "/x")
        (configuration.insecureHTTP, configuration.blobBytes, configuration.reserveBytes) = (true, 0, 0)
        (configuration.retention.ageSeconds, configuration.retention.bytes) = (nil, 1)
        configuration.pool.defaults.cpus = 0
        configuration.pool.limits.cpus = 0
        try ConfigurationFile.read(path: path).apply(to: &configuration)
        #expect(configuration.listen == standard.listen && !configuration.insecureHTTP)
        #expect(configuration.blobBytes == standard.blobBytes)
        #expect(configuration.reserveBytes == standard.reserveBytes)
        #expect(configuration.retention == standard.retention)
        #expect(configuration.pool == standard.pool)
    }

    @Test func aConfigurationFileIsLaidOver() throws {
        let directory = try TestDirectory()
        let path = directory.path + "/c.json"
        let pool = #""defaults": {"cpus": 2}, "limits": {"cpus": 4}"#
        let sizes = #""blobBytes": 9, "reserveBytes": 1048576, "retention": {"ageSeconds": null}"#
        try #"{"listen": "127.0.0.1:9", \#(pool), \#(sizes)}"#
            .write(toFile: path, atomically: true, encoding: .utf8)
        var configuration = CoordinatorConfiguration(dataDirectory: "/x")
        try ConfigurationFile.read(path: path).apply(to: &configuration)
        #expect(configuration.listen == .tcp(host: "127.0.0.1", port: 9))
        #expect(configuration.pool.defaults.cpus == 2)
        #expect(configuration.pool.limits.cpus == 4)
        #expect(configuration.blobBytes == 9)
        #expect(configuration.reserveBytes == 1 << 20)
        #expect(configuration.retention.ageSeconds == nil && configuration.retention.bytes == nil)
    }

    @Test(arguments: [("127.0.0.1:80", "127.0.0.1", 80), ("[::1]:7", "::1", 7), ("h:0", "h", 0)])
    func addressesAreParsed(text: String, host: String, port: Int) throws {
        #expect(try ListenAddress(hostPort: text) == .tcp(host: host, port: port))
    }

    @Test(arguments: ["", "x", ":7420", "h:", "h:65536", "h:-1"])
    func otherTextIsNoAddress(text: String) {
        #expect(throws: CoordinatorError.self) { try ListenAddress(hostPort: text) }
    }
}

import Foundation
import Testing

@testable import SandpoolWorker

/// What the worker fetches is what its digest says, or it is not taken.
@Suite(.timeLimit(.minutes(1))) struct BlobClientTests {
    private static let hello = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

    /// Fetches that digest from a coordinator that has this for it, and looks whether anything is left.
    private func fetch(from content: String) async throws -> String {
        try await TemporaryDirectory.with { directory in
            let (contents, fetched) = AsyncStream.makeStream(of: Result<[UInt8], any Error>.self)
            try await TestCoordinator.run(blobs: [Self.hello: content]) { coordinator in
                let http = CoordinatorClient.makeHTTPClient()
                let address = try CoordinatorAddress("http://127.0.0.1:\(coordinator.port)")
                let client = BlobClient(
                    client: CoordinatorClient(http: http, address: address, token: "secret"), directory: directory)
                do {
                    fetched.yield(.success(try await client.fetch(Self.hello).readAll(limit: 100)))
                } catch {
                    fetched.yield(.failure(error))
                }
                try await http.shutdown()
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
            var iterator = contents.makeAsyncIterator()
            let result = try #require(await iterator.next())
            return String(decoding: try result.get(), as: UTF8.self)
        }
    }

    @Test func theRightContentIsTaken() async throws {
        try await #expect(fetch(from: "hello") == "hello")
    }

    @Test(arguments: ["hellp", "", "hello\n"]) func anotherContentIsRefused(content: String) async throws {
        let error = await #expect(throws: WorkerError.self) { try await fetch(from: content) }
        #expect(error?.description.hasPrefix("blob \(Self.hello) arrived as sha256:") == true)
    }
}

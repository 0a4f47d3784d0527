import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import SandpoolAPI
import SandpoolModel

/// The HTTP client that every request to the coordinator goes through.
struct CoordinatorClient: Sendable {
    let http: HTTPClient
    let address: CoordinatorAddress
    let token: String?

    /// The coordinator refused the worker in a way that trying again does not change.
    struct Refused: Error {
        let error: WorkerError
    }

    /// Whoever has the coordinator's address says that no process listens there. Said of the coordinator itself, and
    /// not of a TLS proxy before it, which may be down while it runs: so never of an `https` address.
    struct NobodyListens: Error, CustomStringConvertible {
        let description: String
    }

    static func makeHTTPClient() -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.timeout = .init(connect: .seconds(10))
        configuration.redirectConfiguration = .disallow
        // The session is one request that lives for days over HTTP/1.1, where each has its connection.
        configuration.httpVersion = .http1Only
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func request(_ method: HTTPMethod, _ path: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: address.url + path)
        request.method = method
        if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        return request
    }

    /// Sends a request; an answer that is not a success is an error in one line.
    ///
    /// - Throws: `Refused` where trying again cannot help, `NobodyListens` where the coordinator does not run,
    ///   `WorkerError` else.
    func send(_ request: HTTPClientRequest, timeout: TimeAmount) async throws -> HTTPClientResponse {
        let response: HTTPClientResponse
        do {
            response = try await http.execute(request, timeout: timeout)
        } catch let error as CancellationError {
            throw error
        } catch {
            let failure = WorkerError("the coordinator at \(address) does not answer: \(error)")
            let isDown = !address.isBehindProxy && Self.isRefusal(error)
            throw isDown ? NobodyListens(description: failure.description) as any Error : failure
        }
        guard !(200..<300).contains(response.status.code) else { return response }
        let body = try? await response.body.collect(upTo: 64 << 10)
        let detail = body.flatMap { try? WireJSON.decode(ErrorBody.self, from: $0) }?.error
        throw refusal(response.status, detail)
    }

    /// Whether every address that was tried refused (connect(2), ECONNREFUSED).
    private static func isRefusal(_ error: any Error) -> Bool {
        guard let errors = (error as? NIOConnectionError)?.connectionErrors else {
            return (error as? IOError)?.errnoCode == ECONNREFUSED
        }
        return !errors.isEmpty && errors.allSatisfy { isRefusal($0.error) }
    }

    /// A refusal that trying again does not change, as one line.
    func refused(_ error: APIError) -> Refused {
        Refused(error: WorkerError("the coordinator at \(address) refused the worker: \(Self.line(error))"))
    }

    /// A failure that may pass, as one line.
    func failure(_ error: APIError) -> String {
        "the coordinator at \(address) ended the session: \(Self.line(error))"
    }

    private func refusal(_ status: HTTPResponseStatus, _ detail: APIError?) -> any Error {
        let said = detail.map(Self.line) ?? "\(status.code) \(status.reasonPhrase)"
        switch status.code {
        case 401, 403:
            // What is advised to users, such as the admin's token, is not for a worker.
            let why = detail.map { TerminalText.harmless($0.message, limit: 512) } ?? said
            return Refused(
                error: WorkerError(
                    "the coordinator at \(address) refused the worker's token: \(why); "
                        + "make one with `sandpool token create --role worker NAME` and pass it with --token-file"))
        case 400, 404, 422, 426:
            return Refused(error: WorkerError("the coordinator at \(address) refused the worker: \(said)"))
        default:
            return WorkerError("the coordinator at \(address) answered \(status.code): \(said)")
        }
    }

    /// What the coordinator said and advised. It goes to a terminal or a log, so it may not act on one.
    private static func line(_ error: APIError) -> String {
        TerminalText.harmless(error.message + (error.hint.map { "; \($0)" } ?? ""), limit: 1_024)
    }
}

import AsyncHTTPClient
import Logging
import NIOCore
import SandpoolAPI

/// Keeps one session to the coordinator open for as long as the worker runs.
struct CoordinatorSession: Sendable {
    let client: CoordinatorClient
    let core: WorkerCore
    let log: Logger
    var backoff = Backoff()

    /// How often it is looked whether the coordinator has fallen silent.
    private static let silenceCheck = Duration.seconds(5)
    private static let answerTimeout = TimeAmount.seconds(30)

    /// Connects, and again after every loss, until the task is cancelled.
    ///
    /// - Throws: `WorkerError` when the coordinator refuses this worker for good.
    func run() async throws {
        var backoff = backoff
        while !Task.isCancelled {
            let (number, hello) = await core.beginSession()
            do {
                try await runOnce(number, hello, welcomed: { backoff.reset() })
                log.info("the coordinator ended the session")
            } catch let refused as CoordinatorClient.Refused {
                await core.endSession(number)
                throw refused.error
            } catch is CancellationError {
                await core.endSession(number)
                return
            } catch {
                log.warning("\(error)")
            }
            await core.endSession(number)
            let delay = backoff.next()
            if delay > .zero { try? await Task.sleep(for: delay) }
        }
    }

    private func runOnce(_ number: Int, _ hello: WorkerHello, welcomed: () -> Void) async throws {
        var request = client.request(.POST, Routes.workerSession)
        request.headers.add(name: "content-type", value: WorkerSession.contentType)
        request.body = .stream(SessionBody(hello: hello, number: number, core: core), length: .unknown)
        let response = try await client.send(request, timeout: Self.answerTimeout)
        var frames = FrameReader(response.body)
        guard case .welcome(let welcome) = try await frames.next()?.message(as: CoordinatorMessage.self) else {
            throw WorkerError("the coordinator did not open the session with a welcome")
        }
        do {
            try await core.welcome(welcome, session: number)
        } catch let error as WorkerError {
            throw CoordinatorClient.Refused(error: error)
        }
        log.info("connected to \(client.address)", metadata: ["generation": "\(welcome.generation)"])
        welcomed()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [frames] in try await receive(frames, number) }
            group.addTask {
                while await !core.isSilent(session: number) { try await Task.sleep(for: Self.silenceCheck) }
                throw WorkerError("the coordinator at \(client.address) fell silent")
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func receive(_ frames: FrameReader, _ number: Int) async throws {
        var frames = frames
        while let frame = try await frames.next() {
            await core.noteHeard(session: number)
            switch frame {
            case .json: try await core.handle(frame.message(as: CoordinatorMessage.self), session: number)
            case .input(let input): await core.handle(input, session: number)
            case .output: throw WorkerError("the coordinator sent output to a worker")
            }
        }
    }
}

/// Frames out of a response body.
private struct FrameReader: @unchecked Sendable {
    // The iterator is moved into the one task that reads, never shared.
    private var chunks: HTTPClientResponse.Body.AsyncIterator
    private var decoder = FrameDecoder()

    init(_ body: HTTPClientResponse.Body) { chunks = body.makeAsyncIterator() }

    mutating func next() async throws -> Frame? {
        while true {
            if let frame = try decoder.next() { return frame }
            guard let chunk = try await chunks.next() else {
                try decoder.finish()
                return nil
            }
            decoder.append(chunk)
        }
    }
}

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
    /// A session that lasted so long ended for a new reason; one that ends sooner may end so each time.
    private static let settledAfter = Duration.seconds(10)

    /// Connects, and again after every loss, until the task is cancelled.
    ///
    /// - Throws: `WorkerError` when the coordinator refuses this worker for good.
    func run() async throws {
        var backoff = backoff
        while !Task.isCancelled {
            let (number, hello) = await core.beginSession()
            let begin = ContinuousClock.now
            do {
                try await runOnce(number, hello)
                log.info("the coordinator ended the session")
            } catch let refused as CoordinatorClient.Refused {
                await core.endSession(number)
                throw refused.error
            } catch is CancellationError {
                await core.endSession(number)
                return
            } catch let down as CoordinatorClient.NobodyListens {
                await core.noteDown(session: number)
                log.warning("\(down)")
            } catch {
                log.warning("\(error)")
            }
            await core.endSession(number)
            if ContinuousClock.now - begin > Self.settledAfter { backoff.reset() }
            let delay = backoff.next()
            if delay > .zero { try? await Task.sleep(for: delay) }
        }
    }

    private func runOnce(_ number: Int, _ hello: WorkerHello) async throws {
        var request = client.request(.POST, Routes.workerSession)
        request.headers.add(name: "content-type", value: WorkerSession.contentType)
        request.body = .stream(SessionBody(hello: hello, number: number, core: core), length: .unknown)
        let response = try await client.send(request, timeout: Self.answerTimeout)
        var frames = FrameReader(response.body)
        guard let first = try await frames.next() else {
            throw WorkerError("the coordinator at \(client.address) ended the session before it began")
        }
        let welcome = try opening(first)
        await core.welcome(welcome, session: number)
        log.info("connected to \(client.address)", metadata: ["generation": "\(welcome.generation)"])
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

    /// The welcome that a session begins with.
    ///
    /// - Throws: `Refused` where the coordinator will not have this worker, `WorkerError` for what may pass.
    private func opening(_ frame: Frame) throws -> WorkerWelcome {
        if let version = frame.openingVersion, version != WorkerSession.version {
            throw CoordinatorClient.Refused(
                error: WorkerError(
                    "the coordinator at \(client.address) speaks version \(version) of the worker session, this "
                        + "worker \(WorkerSession.version); run the same release on both"))
        }
        switch try frame.checkedMessage(as: CoordinatorMessage.self) {
        case .welcome(let welcome): return welcome
        case .failed(let error):
            let isFinal = WorkerSession.Refusal(rawValue: error.code) != nil
            throw isFinal ? client.refused(error) : WorkerError(client.failure(error))
        default: throw WorkerError("the coordinator at \(client.address) did not open the session with a welcome")
        }
    }

    private func receive(_ frames: FrameReader, _ number: Int) async throws {
        var frames = frames
        while let frame = try await frames.next() {
            switch frame {
            case .json:
                let message = try frame.checkedMessage(as: CoordinatorMessage.self)
                if case .failed(let error) = message { throw WorkerError(client.failure(error)) }
                try await core.handle(message, session: number)
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

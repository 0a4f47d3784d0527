import Hummingbird
import NIOCore
import SandpoolAPI
import SandpoolModel
import SandpoolStore
import Synchronization

/// Serves `POST /v1/run`: one client's submission, its input and signals, and everything that comes back.
struct RunHandler: Sendable {
    let parts: CoordinatorParts
    let channel: any Channel

    /// What the reading and the writing half share.
    private final class Shared: Sendable {
        let job = Mutex<JobID?>(nil)
        /// Keeps the job from being removed while it is told of.
        let hold = Mutex<JobHold?>(nil)
        let isDetached = Mutex(false)
        let hasEnded = Mutex(false)
        /// Raised when the follower may be read.
        let follower = Mutex<Follower?>(nil)
        let started = Signal()
    }

    func serve(_ body: RequestBody, _ writer: inout any ResponseBodyWriter) async throws {
        let shared = Shared()
        defer { leave(shared) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await read(body, shared) }
            if await shared.started.wait(), let follower = shared.follower.withLock({ $0 }) {
                let stream = FollowerStream(parts: parts, follower: follower)
                try await stream.write(to: &writer) { shared.job.withLock { $0 } }
                shared.hasEnded.withLock { $0 = true }
            }
            try await writer.finish(nil)
            group.cancelAll()
        }
    }

    /// What the client's going away means for the job.
    private func leave(_ shared: Shared) {
        guard let job = shared.job.withLock({ $0 }), let follower = shared.follower.withLock({ $0 }) else { return }
        let isLast = parts.hub.remove(follower, from: job)
        let ended = shared.hasEnded.withLock { $0 } || shared.isDetached.withLock { $0 }
        if isLast, follower.holdsJob, !ended { parts.orphans.abandoned(job) }
    }

    private func read(_ body: RequestBody, _ shared: Shared) async {
        var decoder = FrameDecoder()
        do {
            for try await bytes in body {
                decoder.append(bytes)
                while let frame = try decoder.next() {
                    if let job = shared.job.withLock({ $0 }) {
                        try await handle(frame, job, shared)
                    } else {
                        try await begin(try frame.checkedMessage(as: RunRequest.self), shared)
                    }
                }
            }
            try decoder.finish()
            try endInput(shared)
        } catch {
            fail(error, shared)
        }
    }

    private func begin(_ request: RunRequest, _ shared: Shared) async throws {
        switch request {
        case .submit(let spec):
            try await submit(spec, shared)
        case .follow(let reference, let stdout, let stderr, let attempt):
            let id = try await parts.jobs.resolve(reference)
            try hold(id, shared)
            let job = try await parts.jobs.job(id)
            let follower = Follower(
                stdout: stdout, stderr: stderr, of: attempt, holdsJob: job.spec.onDisconnect == .cancel)
            parts.hub.add(follower, to: id)
            parts.orphans.keep(id)
            if job.spec.stdin == .stream, !job.state.isTerminal { parts.inputs.open(id) }
            follower.publish(.created(id, name: job.name))
            shared.job.withLock { $0 = id }
            shared.follower.withLock { $0 = follower }
            shared.started.raise()
            try await FollowerStream(parts: parts, follower: follower).attach(to: try await parts.jobs.job(id))
        case .signal, .cancel, .detach:
            throw APIError(
                status: 400, code: "invalid_request", message: "the first message of a run is submit or follow")
        }
    }

    private func submit(_ spec: JobSpec, _ shared: Shared) async throws {
        let follower = Follower(holdsJob: spec.onDisconnect == .cancel)
        var provisional: JobID?
        // Followed before it is stored: from the commit on a worker may have it, and even have ended it.
        let jobs: [Job]
        do {
            jobs = try await parts.jobs.submit([spec]) { id in
                provisional = id
                parts.hub.add(follower, to: id)
                if spec.stdin == .stream { parts.inputs.open(id) }
            }
        } catch {
            withdraw(follower, from: provisional)
            throw error
        }
        guard let job = jobs.first else { return }
        if job.id != provisional { withdraw(follower, from: provisional) }
        try hold(job.id, shared)
        if job.id != provisional {
            parts.hub.add(follower, to: job.id)
            parts.orphans.keep(job.id)
            if spec.stdin == .stream, !job.state.isTerminal { parts.inputs.open(job.id) }
        }
        follower.publish(.created(job.id, name: job.name))
        shared.job.withLock { $0 = job.id }
        shared.follower.withLock { $0 = follower }
        if job.id == provisional {
            follower.attached()
            noticeMissingWorkers(job.id)
            shared.started.raise()
        } else {
            // An idempotency key named a job that is under way or has ended.
            shared.started.raise()
            let current = try await parts.jobs.job(job.id)
            try await FollowerStream(parts: parts, follower: follower).attach(to: current)
        }
    }

    private func hold(_ job: JobID, _ shared: Shared) throws(APIError) {
        let hold = try parts.holds.hold(job)
        shared.hold.withLock { $0 = hold }
    }

    private func withdraw(_ follower: Follower, from job: JobID?) {
        guard let job else { return }
        parts.hub.remove(follower, from: job)
        parts.inputs.drop(job)
    }

    private func noticeMissingWorkers(_ job: JobID) {
        guard parts.core.workers.isEmpty else { return }
        let (core, hub) = (parts.core, parts.hub)
        parts.eventLoop.scheduleTask(in: TimeAmount(parts.configuration.timings.noWorkerNotice)) {
            guard core.workers.isEmpty else { return }
            hub.publish(
                .state(.queued, note: "no worker is enrolled; start one with 'sandpool worker start'"), to: job)
        }
    }

    // MARK: After the first message

    private func handle(_ frame: Frame, _ job: JobID, _ shared: Shared) async throws {
        switch frame {
        case .input(let input):
            if try await parts.inputs.receive(input, for: job) { push(job) }
        case .output: throw FrameError.malformed("a client sends no output")
        case .json:
            switch try frame.checkedMessage(as: RunRequest.self) {
            case .submit, .follow:
                throw APIError(status: 400, code: "invalid_request", message: "a run has one submit or follow")
            case .signal(let number):
                // A command that has ended, or not begun, is told by its state, not by an error.
                do { try await parts.jobs.signal(job, number) } catch let error as APIError where error.status == 409 {}
            case .cancel:
                try await parts.jobs.cancel(job)
            case .detach:
                shared.isDetached.withLock { $0 = true }
                parts.orphans.keep(job)
            }
        }
    }

    private func push(_ job: JobID) {
        guard let attempt = parts.core.attempt(of: job),
            let session = parts.core.session(of: attempt.lease.worker)
        else { return }
        parts.inputs.push(job, for: AttemptLease(attempt.lease), to: session)
        session.flush()
    }

    /// The client ended its request: no more input. One that vanished is known by its closed channel, and its
    /// input stays open for its return, as it does when this coordinator ends the stream.
    private func endInput(_ shared: Shared) throws {
        guard let job = shared.job.withLock({ $0 }) else {
            throw APIError(status: 400, code: "invalid_request", message: "the run's first message is missing")
        }
        guard channel.isActive, !Task.isCancelled, parts.inputs.end(job) else { return }
        push(job)
    }

    private func fail(_ error: any Error, _ shared: Shared) {
        let follower = shared.follower.withLock { follower in
            let known = follower ?? Follower(isAttached: true)
            follower = known
            return known
        }
        follower.publish(.failed(APIError(any: error)))
        follower.attached()
        shared.started.raise()
    }
}

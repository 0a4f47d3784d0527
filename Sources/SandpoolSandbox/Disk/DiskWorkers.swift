import LinuxSystem

/// Children of the launcher for one kind of work, some at a time; what comes meanwhile waits its turn.
final class DiskWorkers {
    private let loop: EventLoop
    private let limit: Int
    private var atWork = 0
    private var waiting: [() -> Void] = []

    init(_ loop: EventLoop, limit: Int) {
        self.loop = loop
        self.limit = limit
    }

    var isAtRest: Bool { atWork == 0 && waiting.isEmpty }

    /// As `DiskWorker.run`; a child that cannot be made is a failure like any other.
    func run(
        keeping kept: [FileDescriptor], _ body: @escaping () throws(SystemError) -> [FileDescriptor],
        then done: @escaping (DiskWorker.Outcome) -> Void
    ) {
        waiting.append { [unowned self] in
            let finish = { [unowned self] (outcome: DiskWorker.Outcome) in
                atWork -= 1
                done(outcome)
                work()
            }
            do throws(SystemError) {
                try DiskWorker.run(keeping: kept, loop, body, then: finish)
            } catch {
                loop.afterEvents { finish(.failure(error)) }
            }
        }
        work()
    }

    private func work() {
        while atWork < limit, !waiting.isEmpty {
            atWork += 1
            waiting.removeFirst()()
        }
    }
}

import Glibc
import LinuxSystem
import NIOConcurrencyHelpers

import class Foundation.Thread

/// One thread that waits for descriptors and deadlines and runs an actor between them.
///
/// The worker's core lives here: what the launcher says reaches it without a change of threads, and no other
/// thread of the process ever waits for a descriptor of a sandbox.
final class LoopThread: SerialExecutor, @unchecked Sendable {
    private struct Queue {
        var jobs: [UnownedJob] = []
        var actions: [@Sendable () -> Void] = []
        var isAwake = false
    }

    /// Touched on the thread only; the actor that runs here may use it.
    let events: EventLoop
    private let wakeEnd: FileDescriptor
    private let sleepEnd: FileDescriptor
    private let queue = NIOLockedValueBox(Queue())
    private let thread = NIOLockedValueBox<pthread_t?>(nil)

    init() throws {
        events = try EventLoop()
        let pipe = try Pipe()
        try pipe.readEnd.setNonBlocking()
        try pipe.writeEnd.setNonBlocking()
        sleepEnd = pipe.readEnd
        wakeEnd = pipe.writeEnd
        try events.watch(sleepEnd, .readable) { [unowned self] in runQueued() }
        Thread.detachNewThread { [self] in run() }
    }

    /// Runs a closure on the thread, in the order of the calls.
    func post(_ action: @escaping @Sendable () -> Void) { add { $0.actions.append(action) } }

    /// Ends the thread after what was asked for before. Nothing that waits for it afterwards is ever answered.
    func stop() { post { [self] in events.stop() } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        add { $0.jobs.append(job) }
    }

    func checkIsolated() {
        let isHere = thread.withLockedValue { $0.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
        precondition(isHere, "the worker's core was entered from another thread")
    }

    private func add(_ body: (inout Queue) -> Void) {
        let mustWake = queue.withLockedValue { queue in
            body(&queue)
            defer { queue.isAwake = true }
            return !queue.isAwake
        }
        guard mustWake else { return }
        // A full pipe is a thread that wakes anyway.
        var byte: UInt8 = 1
        _ = write(wakeEnd.raw, &byte, 1)
    }

    private func run() {
        thread.withLockedValue { $0 = pthread_self() }
        // Fails only when the kernel has no memory for epoll_wait; the process cannot go on then.
        do { try events.run() } catch { preconditionFailure("the worker's loop ended: \(error)") }
    }

    private func runQueued() {
        var bytes = [UInt8](repeating: 0, count: 64)
        _ = read(sleepEnd.raw, &bytes, bytes.count)
        while true {
            let (jobs, actions) = queue.withLockedValue { queue in
                defer {
                    // Only once there was nothing left may the next one have to wake the thread.
                    queue.isAwake = !(queue.jobs.isEmpty && queue.actions.isEmpty)
                    queue.jobs = []
                    queue.actions = []
                }
                return (queue.jobs, queue.actions)
            }
            if jobs.isEmpty && actions.isEmpty { return }
            for action in actions { action() }
            for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
        }
    }
}

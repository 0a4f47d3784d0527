import CLinux
import Glibc

/// One thread that waits for descriptors (epoll(7)) and for deadlines on CLOCK_BOOTTIME (timerfd).
public final class EventLoop {
    public struct Interest: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let readable = Interest(rawValue: 0x001)
        public static let urgent = Interest(rawValue: 0x002)
        public static let writable = Interest(rawValue: 0x004)
    }

    public typealias TimerToken = TimerQueue<() -> Void>.Token

    private let epoll: FileDescriptor
    private let timer: FileDescriptor
    private var handlers: [UInt64: () -> Void] = [:]
    private var numbers: [Int32: UInt64] = [:]
    private var nextNumber: UInt64 = 0
    private var timers = TimerQueue<() -> Void>()
    private var armedFor: UInt64?
    private var stopped = false
    private var deferred: [() -> Void] = []
    private var idleWork: (() -> Bool)?
    private var hasIdleWork = false
    /// Children that are reaped when they have ended, and nobody else waits for.
    public private(set) var unattended: Set<pid_t> = []

    public init() throws(SystemError) {
        epoll = FileDescriptor(owning: try systemCall("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
        timer = FileDescriptor(
            owning: try systemCall("timerfd_create") {
                timerfd_create(CLOCK_BOOTTIME, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
            })
        try watch(timer, .readable) { [unowned self] in runTimers() }
    }

    /// Calls `handler` each time the descriptor is ready or hung up (level-triggered), until `forget`.
    public func watch(
        _ descriptor: FileDescriptor, _ interest: Interest, _ handler: @escaping () -> Void
    ) throws(SystemError) {
        nextNumber += 1
        try control(EPOLL_CTL_ADD, descriptor, interest, number: nextNumber)
        handlers[nextNumber] = handler
        numbers[descriptor.raw] = nextNumber
    }

    public func change(_ descriptor: FileDescriptor, _ interest: Interest) throws(SystemError) {
        guard let number = numbers[descriptor.raw] else { return }
        try control(EPOLL_CTL_MOD, descriptor, interest, number: number)
    }

    public func forget(_ descriptor: FileDescriptor) {
        guard let number = numbers.removeValue(forKey: descriptor.raw) else { return }
        handlers[number] = nil
        epoll_ctl(epoll.raw, EPOLL_CTL_DEL, descriptor.raw, nil)
    }

    public func isWatched(_ descriptor: FileDescriptor) -> Bool { numbers[descriptor.raw] != nil }

    /// Reaps a child when it has ended; how is nobody's business.
    public func reapAtEnd(_ child: ChildProcess) throws(SystemError) {
        try watch(child.descriptor, .readable) { [unowned self] in
            forget(child.descriptor)
            _ = try? child.reap()
            unattended.remove(child.pid)
        }
        unattended.insert(child.pid)
    }

    /// Calls `action` once, at a time in milliseconds of `BoottimeClock`.
    public func schedule(at deadline: UInt64, _ action: @escaping () -> Void) -> TimerToken {
        let token = timers.add(at: deadline, action)
        arm()
        return token
    }

    public func cancel(_ token: TimerToken) { timers.cancel(token) }

    /// Calls `action` once, after the events that are ready now.
    public func afterEvents(_ action: @escaping () -> Void) { deferred.append(action) }

    /// Calls `work` when nothing else is to be done, after each `wakeIdleWork`, until it returns false.
    public func whenIdle(_ work: @escaping () -> Bool) {
        idleWork = work
        hasIdleWork = true
    }

    public func wakeIdleWork() { hasIdleWork = idleWork != nil }

    public func stop() { stopped = true }

    /// Waits and calls handlers until `stop`.
    public func run() throws(SystemError) {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while !stopped {
            let wait: Int32 = deferred.isEmpty && !hasIdleWork ? -1 : 0
            let count = try systemCall("epoll_wait") { epoll_wait(epoll.raw, &events, Int32(events.count), wait) }
            // A handler may forget others of this round: each is looked up when its turn comes.
            for event in events[..<Int(count)] { handlers[event.data.u64]?() }
            if count == 0, deferred.isEmpty, hasIdleWork { hasIdleWork = idleWork?() ?? false }
            let actions = deferred
            deferred = []
            for action in actions { action() }
        }
    }

    private func control(
        _ operation: Int32, _ descriptor: FileDescriptor, _ interest: Interest, number: UInt64
    ) throws(SystemError) {
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 = number
        try systemCall("epoll_ctl") { epoll_ctl(epoll.raw, operation, descriptor.raw, &event) }
    }

    private func runTimers() {
        var expirations: UInt64 = 0
        _ = read(timer.raw, &expirations, 8)
        armedFor = nil
        let now = BoottimeClock.milliseconds()
        while let action = timers.pop(at: now) { action() }
        arm()
    }

    /// Sets the timer only when the earliest deadline moved forward; a late one finds nothing and re-arms.
    private func arm() {
        guard let deadline = timers.next() else { return }
        if let armedFor, armedFor <= deadline { return }
        var setting = itimerspec()
        setting.it_value.tv_sec = time_t(clamping: deadline / 1_000)
        setting.it_value.tv_nsec = Int(deadline % 1_000) * 1_000_000 + 1
        timerfd_settime(timer.raw, Int32(TFD_TIMER_ABSTIME), &setting, nil)
        armedFor = deadline
    }
}

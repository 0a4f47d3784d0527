/// Follows what a descriptor tells of, at a pace: after each time that it was followed there is a rest in which nobody
/// listens. What is told meanwhile waits in the kernel, so the last of it is always followed.
public final class RestedWatch {
    private let loop: EventLoop
    private let descriptor: FileDescriptor
    private let restMs: UInt64
    private let take: () -> Bool
    private let follow: () -> Void
    private var rest: EventLoop.TimerToken?
    private var hasEnded = false

    /// - Parameters:
    ///   - take: takes what is there to read; whether it is to be followed.
    ///   - follow: the rest counts from its end.
    public init(
        _ descriptor: FileDescriptor, in loop: EventLoop, restMs: UInt64, take: @escaping () -> Bool,
        follow: @escaping () -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.descriptor = descriptor
        self.restMs = restMs
        self.take = take
        self.follow = follow
        try listen()
    }

    public func end() {
        hasEnded = true
        rest.map(loop.cancel)
        rest = nil
        loop.forget(descriptor)
    }

    private func listen() throws(SystemError) {
        try loop.watch(descriptor, .readable) { [unowned self] in
            guard take() else { return }
            // Not only other interests: an error of the socket is told to whoever has any (epoll_ctl(2), EPOLLERR).
            loop.forget(descriptor)
            follow()
            sleep()
        }
    }

    private func sleep() {
        if hasEnded { return }
        rest = loop.schedule(at: BoottimeClock.milliseconds() + restMs) { [unowned self] in
            rest = nil
            // Nothing is lost by another rest.
            do throws(SystemError) { try listen() } catch { sleep() }
        }
    }
}

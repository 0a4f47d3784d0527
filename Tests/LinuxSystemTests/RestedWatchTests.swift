import Glibc
import LinuxSystem
import Testing

@Suite struct RestedWatchTests {
    private let loop: EventLoop
    private let pipe: Pipe

    init() throws {
        loop = try EventLoop()
        pipe = try Pipe()
        try pipe.readEnd.setNonBlocking()
    }

    private func tell() { _ = write(pipe.writeEnd.raw, [1], 1) }

    private func takeAll() -> Int {
        var buffer = [UInt8](repeating: 0, count: 64)
        return read(pipe.readEnd.raw, &buffer, buffer.count)
    }

    @Test func theLastIsFollowedHoweverOftenItIsTold() throws {
        var (taken, followed) = (0, [Int]())
        let watch = try RestedWatch(
            pipe.readEnd, in: loop, restMs: 1,
            take: {
                taken += takeAll()
                return true
            },
            follow: {
                followed.append(taken)
                if followed.count == 3 { return loop.stop() }
                for _ in 0..<5 { tell() }
            })
        tell()
        try loop.run()
        #expect(followed == [1, 6, 11])
        watch.end()
    }

    @Test func nobodyListensWhileItRests() throws {
        var count = 0
        let watch = try RestedWatch(
            pipe.readEnd, in: loop, restMs: 3_600_000, take: { takeAll() > 0 },
            follow: {
                count += 1
                tell()
            })
        tell()
        // Whatever can be read has been by then.
        loop.whenIdle {
            loop.stop()
            return false
        }
        try loop.run()
        #expect(count == 1)
        watch.end()
    }

    @Test func whatIsNotFollowedNeedsNoRest() throws {
        var isWanted = false
        let watch = try RestedWatch(
            pipe.readEnd, in: loop, restMs: 3_600_000,
            take: {
                defer { isWanted = true }
                _ = takeAll()
                if !isWanted { tell() }
                return isWanted
            }, follow: { loop.stop() })
        tell()
        try loop.run()
        #expect(isWanted)
        watch.end()
    }
}

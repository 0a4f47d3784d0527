import Glibc
import LinuxSystem
import Testing

@testable import SandpoolSandbox

/// Nobody waits for the process on the host's side, and no end that it was not told of is lost.
@Suite struct HostSideLineTests {
    /// More than any socket's buffers hold.
    private static let tokens: ClosedRange<UInt64> = 1...20_000

    @Test func endsThatDoNotFitAreToldWhenThereIsRoom() throws {
        let loop = try EventLoop()
        let (ours, theirs) = try SeqPacketSocket.pair()
        let line = HostSideLine(ours)
        var isLost = false
        try line.listen(
            in: loop,
            HostSideLine.Handlers(heard: {}, eased: { loop.stop() }) {
                isLost = true
                loop.stop()
            })
        for token in Self.tokens { line.tellEnd(of: token) }
        #expect(line.isFull && !isLost)
        var told: [UInt64] = []
        func hear() throws {
            do throws(SystemError) {
                while let message = try theirs.receive(limit: HostSideCommand.sizeLimit, waiting: false) {
                    if case .disconnect(let token)? = try? HostSideCommand(message.bytes) { told.append(token) }
                }
            } catch  where error.code == EAGAIN {}
        }
        // The other side listens whenever nothing else is to be done.
        loop.whenIdle {
            try? hear()
            return true
        }
        try loop.run()
        try hear()
        #expect(!isLost && !line.isFull)
        #expect(told.sorted() == Array(Self.tokens))
        line.close()
    }

    @Test func nothingIsConnectedWhileThereIsNoRoom() throws {
        let (ours, theirs) = try SeqPacketSocket.pair()
        let line = HostSideLine(ours)
        try line.tell(.forward, [theirs.descriptor])
        for token in Self.tokens { line.tellEnd(of: token) }
        #expect(throws: SystemError("sendmsg", code: EAGAIN)) {
            try line.tell(.connect(token: 1, address: 2, gateway: 3), [])
        }
    }

    @Test func oneThatTakesNothingForLongIsLost() throws {
        let loop = try EventLoop()
        let (ours, theirs) = try SeqPacketSocket.pair()
        let line = HostSideLine(ours, patienceMs: 1)
        try line.listen(
            in: loop, HostSideLine.Handlers(heard: {}, eased: { Issue.record("it took something") }) { loop.stop() })
        for token in Self.tokens { line.tellEnd(of: token) }
        try loop.run()
        #expect(line.isFull)
        line.close()
        withExtendedLifetime(theirs) {}
    }
}

import NIOCore
import SandpoolAPI
import SandpoolModel
import Synchronization

/// Standard input on its way from clients to workers: what the command has not taken yet is kept, so that a
/// worker that reconnects gets it again from the offset it names. A command is named by its job's id, or its exec's.
final class InputRelays<Key: Hashable & Sendable>: Sendable {
    /// Most bytes kept for one command. A client that is further ahead is not read from.
    static var limit: Int { 1 << 20 }
    /// Most bytes sent to a worker beyond what the command took.
    static var window: Int64 { 256 << 10 }

    private struct Relay {
        /// What the command has not taken, from `consumed` on.
        var bytes = ByteBuffer()
        var consumed: Int64 = 0
        var sent: Int64 = 0
        /// Whether nothing has come yet: after a coordinator's restart input goes on where it was.
        var isFresh = true
        var hasEnd = false
        var isEndSent = false
        /// Who was sent this, and for which attempt or exec.
        weak var receiver: (any InputReceiver)?
        var receiverID = ""
        let room = Signal()

        var received: Int64 { consumed + Int64(bytes.readableBytes) }
    }

    enum Accepted: Sendable {
        case taken
        /// Wait for the signal, then try again.
        case full(Signal)
        case gap(expected: Int64)
    }

    private let relays = Mutex<[Key: Relay]>([:])

    /// Takes a client's frame. What was received before is skipped, and so is input that the command does not take.
    func accept(_ frame: InputFrame, for key: Key) -> Accepted {
        relays.withLock { table in
            guard var relay = table[key] else { return .taken }
            if relay.isFresh {
                relay.consumed = frame.offset
                relay.sent = frame.offset
                relay.isFresh = false
            }
            defer { table[key] = relay }
            guard frame.offset <= relay.received else { return .gap(expected: relay.received) }
            guard !relay.hasEnd else { return .taken }
            var fresh = frame.bytes
            let known = Int(min(relay.received - frame.offset, Int64(fresh.readableBytes)))
            fresh.moveReaderIndex(forwardBy: known)
            guard fresh.readableBytes == 0 || relay.bytes.readableBytes < Self.limit else {
                return .full(relay.room)
            }
            relay.bytes.writeBuffer(&fresh)
            relay.hasEnd = frame.isLast
            return .taken
        }
    }

    /// As `accept`, but waits where there is no room.
    ///
    /// - Returns: whether the frame is here; `false` once nobody takes input any more.
    func receive(_ frame: InputFrame, for key: Key) async throws(FrameError) -> Bool {
        while true {
            switch accept(frame, for: key) {
            case .taken: return true
            case .full(let room):
                guard await room.wait() else { return false }
            case .gap(let expected):
                throw .malformed("input goes on at \(frame.offset), and only \(expected) bytes are here")
            }
        }
    }

    /// Makes a command's relay, before its first byte.
    ///
    /// - Parameter isNew: whether nothing of its input can have gone another way, so that it begins at 0.
    func open(_ key: Key, isNew: Bool = false) {
        relays.withLock { $0[key] = $0[key] ?? Relay(isFresh: !isNew) }
    }

    /// Notes that the input ends where it is; whether the command takes input at all.
    func end(_ key: Key) -> Bool {
        relays.withLock { table in
            guard table[key] != nil else { return false }
            table[key]?.hasEnd = true
            return true
        }
    }

    /// Sends a worker what it may have now, from the first byte that the command has not taken where that worker, or
    /// another attempt, had nothing yet.
    ///
    /// The client's task and the worker's session both come here. The frames are queued under the lock, because one
    /// that overtook another would be a gap to the worker, which cuts the input off.
    ///
    /// - Parameters:
    ///   - id: what the frames carry: the attempt's id or the exec's.
    ///   - again: whether what went there before came too early.
    func push(_ key: Key, id: String, epoch: Int64, to receiver: any InputReceiver, again: Bool = false) {
        relays.withLock { table in
            guard var relay = table[key] else { return }
            if again || relay.receiver !== receiver || relay.receiverID != id {
                (relay.receiver, relay.receiverID) = (receiver, id)
                relay.sent = relay.consumed
                relay.isEndSent = false
            }
            while let frame = Self.next(from: &relay, id: id, epoch: epoch) { receiver.queue(.input(frame)) }
            table[key] = relay
        }
    }

    private static func next(from relay: inout Relay, id: String, epoch: Int64) -> InputFrame? {
        guard !relay.isEndSent else { return nil }
        let start = relay.bytes.readerIndex + Int(relay.sent - relay.consumed)
        let count = min(
            Int64(Frame.chunkBytes), relay.received - relay.sent, window - (relay.sent - relay.consumed))
        let isLast = relay.hasEnd && relay.sent + count == relay.received
        guard count > 0 || isLast, let bytes = relay.bytes.getSlice(at: start, length: Int(max(0, count)))
        else { return nil }
        let frame = InputFrame(id: id, epoch: epoch, offset: relay.sent, isLast: isLast, bytes: bytes)
        relay.sent += count
        relay.isEndSent = isLast
        return frame
    }

    /// The command took its input up to `offset`, which may have come by way of a coordinator before this one.
    ///
    /// - Returns: how much of what is here it took; `nil` where that is no news.
    func consumed(_ key: Key, to offset: Int64) -> Int64? {
        relays.withLock { table in
            guard var relay = table[key] else { return nil }
            let end = min(offset, relay.received)
            guard end > relay.consumed else { return nil }
            relay.bytes.moveReaderIndex(forwardBy: Int(end - relay.consumed))
            relay.bytes.discardReadBytes()
            relay.consumed = end
            relay.sent = max(relay.sent, end)
            table[key] = relay
            relay.room.raise()
            return end
        }
    }

    func drop(_ key: Key) {
        let relay = relays.withLock { $0.removeValue(forKey: key) }
        relay?.room.close()
    }
}

extension InputRelays<JobID> {
    func push(_ job: JobID, for lease: AttemptLease, to receiver: any InputReceiver, again: Bool = false) {
        push(job, id: lease.attempt.text, epoch: lease.epoch, to: receiver, again: again)
    }
}

/// Where frames with input go: a worker's session.
protocol InputReceiver: AnyObject, Sendable {
    /// Never waits, and never comes back here. Who has pushed sees to it that it goes.
    func queue(_ frame: Frame)
}

extension WorkerLink: InputReceiver {}

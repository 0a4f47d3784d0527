import NIOCore
import SandpoolAPI
import SandpoolModel
import Synchronization

/// Standard input on its way from clients to workers: what the command has not taken yet is kept, so that a
/// worker that reconnects gets it again from the offset it names.
final class InputRelays: Sendable {
    /// Most bytes kept for one job. A client that is further ahead is not read from.
    static let limit = 1 << 20
    /// Most bytes sent to a worker beyond what the command took.
    static let window: Int64 = 256 << 10

    private struct Relay {
        /// What the command has not taken, from `consumed` on.
        var bytes = ByteBuffer()
        var consumed: Int64 = 0
        var sent: Int64 = 0
        /// Whether nothing has come yet: after a coordinator's restart input goes on where it was.
        var isFresh = true
        var hasEnd = false
        var isEndSent = false
        let room = Signal()

        var received: Int64 { consumed + Int64(bytes.readableBytes) }
    }

    enum Accepted: Sendable {
        case taken
        /// Wait for the signal, then try again.
        case full(Signal)
        case gap(expected: Int64)
    }

    private let relays = Mutex<[JobID: Relay]>([:])

    /// Takes a client's frame. What was received before is skipped, and so is input that the job does not take.
    func accept(_ frame: InputFrame, for job: JobID) -> Accepted {
        relays.withLock { table in
            guard var relay = table[job] else { return .taken }
            if relay.isFresh {
                relay.consumed = frame.offset
                relay.sent = frame.offset
                relay.isFresh = false
            }
            defer { table[job] = relay }
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

    /// Makes a job's relay, before its first byte.
    func open(_ job: JobID) {
        relays.withLock { $0[job] = $0[job] ?? Relay() }
    }

    /// Notes that the input ends where it is; whether the job takes input at all.
    func end(_ job: JobID) -> Bool {
        relays.withLock { table in
            guard table[job] != nil else { return false }
            table[job]?.hasEnd = true
            return true
        }
    }

    /// The frames that a worker may be sent now. `again`: it is a new session, which has got nothing yet.
    func take(_ job: JobID, for lease: AttemptLease, again: Bool = false) -> [InputFrame] {
        relays.withLock { table in
            guard var relay = table[job] else { return [] }
            defer { table[job] = relay }
            if again {
                relay.sent = relay.consumed
                relay.isEndSent = false
            }
            var frames: [InputFrame] = []
            while !relay.isEndSent {
                let start = relay.bytes.readerIndex + Int(relay.sent - relay.consumed)
                let count = min(
                    Int64(Frame.chunkBytes), relay.received - relay.sent,
                    Self.window - (relay.sent - relay.consumed))
                let isLast = relay.hasEnd && relay.sent + count == relay.received
                guard count > 0 || isLast, let bytes = relay.bytes.getSlice(at: start, length: Int(max(0, count)))
                else { break }
                frames.append(
                    InputFrame(
                        id: lease.attempt.text, epoch: lease.epoch, offset: relay.sent, isLast: isLast, bytes: bytes))
                relay.sent += count
                relay.isEndSent = isLast
            }
            return frames
        }
    }

    /// The command took its input up to `offset`, which may have come by way of a coordinator before this one.
    ///
    /// - Returns: how much of what is here it took; `nil` where that is no news.
    func consumed(_ job: JobID, to offset: Int64) -> Int64? {
        relays.withLock { table in
            guard var relay = table[job] else { return nil }
            let end = min(offset, relay.received)
            guard end > relay.consumed else { return nil }
            relay.bytes.moveReaderIndex(forwardBy: Int(end - relay.consumed))
            relay.bytes.discardReadBytes()
            relay.consumed = end
            relay.sent = max(relay.sent, end)
            table[job] = relay
            relay.room.raise()
            return end
        }
    }

    func drop(_ job: JobID) {
        let relay = relays.withLock { $0.removeValue(forKey: job) }
        relay?.room.close()
    }
}

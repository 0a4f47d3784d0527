import SandpoolAPI
import SandpoolModel

/// The session's writer: it asks for the next items when it has room for them.
struct SessionWriter {
    /// Waits for something to send; told nil when the session is over.
    var waiter: CheckedContinuation<[OutboundItem]?, Never>?
    /// Whether it is about to be asked again.
    var isWakePosted = false

    mutating func end() {
        waiter?.resume(returning: nil)
        waiter = nil
    }
}

extension WorkerCore {
    /// Waits for something to send; nil when the session is over.
    func nextOutbound(session number: Int) async -> [OutboundItem]? {
        guard number == state.sessionNumber else { return nil }
        let items = takeOutbound()
        if !items.isEmpty { return items }
        return await withCheckedContinuation { continuation in
            writer.end()
            writer.waiter = continuation
        }
    }

    /// Has the writer look again, once for everything that this turn of the loop makes ready.
    func wakeWriter() {
        guard writer.waiter != nil, !writer.isWakePosted else { return }
        writer.isWakePosted = true
        thread.post { [self] in assumeIsolated { $0.resumeWriter() } }
    }

    private func resumeWriter() {
        writer.isWakePosted = false
        guard let waiter = writer.waiter else { return }
        let items = takeOutbound()
        guard !items.isEmpty else { return }
        writer.waiter = nil
        waiter.resume(returning: items)
    }

    private func takeOutbound() -> [OutboundItem] {
        guard state.session.isWelcome else { return [] }
        // Asked for again, the writer has read what it took before.
        releaseToldExecs()
        return execOutbox.takeAll() + takeFromState().compactMap(outbound) + takeExecs()
    }

    private func outbound(_ item: WorkerState.Item) -> OutboundItem? {
        switch item {
        case .message(let message): return .message(message)
        case .output(let lease, let stream, let offset, let count):
            // The state asks for no byte of spools that are not here.
            guard let files = files[lease.attempt], let spool = files.spool(stream) else { return nil }
            return .output(
                OutboundItem.Piece(
                    id: lease.attempt.text, epoch: lease.epoch, stream: stream, spool: spool, offset: offset,
                    count: count, digest: files.digest(stream)))
        }
    }

    /// Output that was taken cannot be read.
    func noteUnreadable(_ unreadable: OutboundItem.Unreadable) {
        let piece = unreadable.piece
        if let id = AttemptID(piece.id) {
            let lease = AttemptLease(attempt: id, epoch: piece.epoch)
            step(.unreadable(lease, piece.stream, offset: piece.offset, unreadable.reason))
        } else if let id = ExecID(piece.id) {
            loseOutput(of: id, piece.stream, at: piece.offset, unreadable.reason)
        }
    }
}

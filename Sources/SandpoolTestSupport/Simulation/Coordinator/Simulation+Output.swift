import SandpoolCoordinator
import SandpoolModel
import SandpoolStore

/// The coordinator's files of output: what `OutputStore` does, over a simulated disk.
extension Simulation {
    func beginAppend(_ session: SessionID, _ stream: OutputStreamID, offset: Int64, count: Int64) {
        guard let process = coordinator.process, let piece = process.readers[session]?.piece else {
            return fail("the coordinator writes output that it does not have")
        }
        guard piece.offset == offset, piece.count == count, piece.attempt == stream.attempt else {
            return fail("the coordinator writes other output than it was given")
        }
        coordinator.process?.readers[session]?.isAppending = true
        after(chance.number(Int64(20)...200), .coordinator(start: process.start, .appends(session, piece, stream)))
    }

    func append(_ piece: OutputPiece, to stream: OutputStreamID, of session: SessionID) {
        let appended = coordinator.output.append(piece)
        let end = coordinator.output.end(OutputDisk.Stream(stream))
        let answer: OutputAppended =
            switch appended {
            case .stored: .stored(end: end)
            case .repeated: .repeated(end: end)
            case .gap(let end): .gap(end: end)
            }
        if variant == .outputAcknowledgedEarly, case .stored = answer { feed(.synced(stream, end: end)) }
        // Of a session that has ended meanwhile nothing more is told.
        if let reader = coordinator.process?.readers[session], !reader.isEnded {
            coordinator.process?.readers[session]?.isAppending = false
            feed(.appended(session, answer))
            readOn(session)
        }
        scheduleSync()
    }

    private func scheduleSync() {
        guard let process = coordinator.process, !process.isSyncing, !coordinator.output.dirty.isEmpty else { return }
        coordinator.process?.isSyncing = true
        after(chance.number(Int64(5)...50), .coordinator(start: process.start, .syncs))
    }

    func beginSync() {
        guard let start = coordinator.process?.start else { return }
        var streams: [(stream: OutputStreamID, end: Int64)] = []
        for dirty in coordinator.output.dirty {
            guard let job = truth.attempts[dirty.attempt]?.job, let id = clients[job].id else { continue }
            let stream = OutputStreamID(job: id, attempt: dirty.attempt, code: dirty.code)
            streams.append((stream, coordinator.output.beginSync(dirty)))
        }
        after(diskTime, .coordinator(start: start, .isSynced(streams)))
    }

    func endSync(_ streams: [(stream: OutputStreamID, end: Int64)]) {
        coordinator.process?.isSyncing = false
        for (stream, end) in streams {
            if chance.one(in: coordinator.failureOdds) {
                note(.storeFailed)
                coordinator.output.discard(OutputDisk.Stream(stream))
                feed(.syncFailed(stream, .other("fdatasync: input/output error")))
            } else {
                coordinator.output.endSync(OutputDisk.Stream(stream), at: end)
                feed(.synced(stream, end: end))
            }
        }
        scheduleSync()
    }

    func endFlush(_ conversation: Conversation, _ streams: [OutputStreamID]) {
        if chance.one(in: coordinator.failureOdds) {
            note(.storeFailed)
            return feed(.failed(conversation, .other("fdatasync: input/output error")))
        }
        let ends = streams.map { id in
            let stream = OutputDisk.Stream(id)
            let end = coordinator.output.end(stream)
            if variant != .outputAcknowledgedEarly { coordinator.output.endSync(stream, at: end) }
            return end
        }
        feed(.answered(conversation, .flushed(ends)))
    }

    var diskTime: Int64 {
        coordinator.isDiskSlow ? chance.span(10_000...5_000_000) : chance.number(Int64(100)...1_000)
    }
}

extension OutputDisk.Stream {
    init(_ id: OutputStreamID) { self.init(attempt: id.attempt, code: id.code) }
}

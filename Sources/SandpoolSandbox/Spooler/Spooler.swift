import CLinux
import Glibc
import LinuxSystem

/// A child of the launcher, without any privilege, that writes the sandboxes' output to disk, so that a slow
/// disk never delays a deadline.
final class Spooler {
    private let launcher: SeqPacketSocket
    private let loop: EventLoop
    private var entries: [UInt64: SpooledCommand] = [:]
    /// By the token of the main command, as long as a command of them has its output taken.
    private var sandboxes: [UInt64: SpooledSandbox] = [:]
    private var reader: SpoolReader?
    private static let retryMs: UInt64 = 200
    /// How long the end of a command waits for room: on the disk, or in a ring whose reader is behind.
    private static let roomLimitMs: UInt64 = 10_000

    /// Runs until the launcher ends. Called in a child of the launcher.
    static func run(_ launcher: SeqPacketSocket, _ rights: HostRights) -> Never {
        do throws(SystemError) {
            try Capabilities([]).boundAll()
            if let user = rights.helperUser {
                try ProcessControl.setIdentity(user: user, group: user, groups: [])
            } else {
                try Capabilities([]).setCurrent()
            }
            try ProcessControl.killWhenParentEnds()
            try ProcessControl.forbidNewPrivileges()
            let spooler = try Spooler(launcher)
            try HelperFilter.spooler().install()
            try spooler.loop.run()
            withExtendedLifetime(spooler) {}
        } catch {
            Diagnostics.write("spooler: \(error)")
            _exit(1)
        }
        _exit(0)
    }

    private init(_ launcher: SeqPacketSocket) throws(SystemError) {
        self.launcher = launcher
        loop = try EventLoop()
        try loop.watch(launcher.descriptor, .readable) { [unowned self] in receive() }
    }

    // MARK: What the launcher and the worker say

    private func receive() {
        do {
            guard let message = try launcher.receive(limit: 4_096, waiting: false) else { _exit(0) }
            switch try SpoolerRequest(decoding: message.bytes) {
            case .open(let token, let id, let limit, let sandbox, let cpuMillis, let backlog):
                do throws(SystemError) {
                    if message.descriptors.count != 4 { throw SystemError("recvmsg", code: EMFILE) }
                    let ring = backlog == 0 ? nil : SpoolRing(backlogBytes: backlog)
                    let streams = [0, 1].map {
                        SpoolStream(
                            pipe: message.descriptors[$0], file: message.descriptors[$0 + 2], limit: limit, ring: ring)
                    }
                    let sandbox = sandboxes[sandbox] ?? SpooledSandbox(token: sandbox, cpuMillis: cpuMillis)
                    try open(SpooledCommand(token: token, id: id, streams: streams, of: sandbox))
                } catch { refuse(token, error) }
            case .finish(let token):
                // One that was refused has nothing to finish.
                if let entry = entries[token] { finish(entry) } else { answer(.finished(SpoolerCounts(token: token))) }
            case .notify:
                reader?.close()
                reader = message.descriptors.first.flatMap { follow(SeqPacketSocket($0)) }
                for entry in entries.values { entry.told = [0, 0]; reader?.tell(entry) }
            case .mute(let token): entries[token]?.isMuted = true
            }
        } catch let error as SystemError where error.code == EAGAIN {
            return
        } catch let error as SystemError where error.code == ECONNRESET {
            _exit(0)
        } catch {
            Diagnostics.write("spooler: \(error)")
        }
    }

    private func follow(_ worker: SeqPacketSocket) -> SpoolReader? {
        do throws(SystemError) {
            let reader = try SpoolReader(worker, loop)
            reader.entry = { [unowned self] in entries[$0] }
            reader.onRead = { [unowned self] in noteRead($0) }
            return reader
        } catch {
            Diagnostics.write("spooler: the worker's socket: \(error)")
            return nil
        }
    }

    /// The place of what was read is free. One of an earlier worker's is nobody's to read any more.
    private func noteRead(_ progress: SpoolProgress) {
        guard let entry = entries.values.first(where: { $0.id == progress.id && !$0.isMuted }) else { return }
        for (index, bytes) in [progress.stdoutBytes, progress.stderrBytes].enumerated() {
            entry.streams[index].noteRead(bytes)
            guard entry.behind[index], entry.streams[index].hasRoom else { continue }
            entry.behind[index] = false
            resume(entry, index)
        }
    }

    private func open(_ entry: SpooledCommand) throws(SystemError) {
        entries[entry.token] = entry
        entry.sandbox.commands += 1
        sandboxes[entry.sandbox.token] = entry.sandbox
        for (index, stream) in entry.streams.enumerated() {
            try stream.pipe.setNonBlocking()
            try loop.watch(stream.pipe, .readable) { [unowned self] in move(entry, index) }
        }
    }

    private func refuse(_ token: UInt64, _ error: SystemError) {
        Diagnostics.write("spooler: \(error)")
        remove(token)?.streams.forEach { loop.forget($0.pipe) }
        answer(.refused(token: token))
    }

    private func remove(_ token: UInt64) -> SpooledCommand? {
        guard let entry = entries.removeValue(forKey: token) else { return nil }
        entry.sandbox.commands -= 1
        if entry.sandbox.commands == 0 { sandboxes[entry.sandbox.token] = nil }
        return entry
    }

    private func answer(_ answer: SpoolerAnswer) {
        do throws(SystemError) {
            try launcher.send(answer.encoded())
        } catch { _exit(0) }
    }

    private func move(_ entry: SpooledCommand, _ index: Int) {
        switch movePiece(entry, entry.streams[index]) {
        case .more: break
        // Once it finishes that is the end, wherever the pipe is still held.
        case .empty: if entry.finishing { close(entry, index) }
        case .ended: close(entry, index)
        case .full: stall(entry, index)
        case .behind: standStill(entry, index)
        }
        tellLimit(entry)
        reader?.tell(entry)
        pauseIfAhead(entry, index)
    }

    private func movePiece(_ entry: SpooledCommand, _ stream: SpoolStream) -> SpoolStream.Progress {
        let isAlone = sandboxes.count == 1
        let before = stream.taken
        defer { entry.sandbox.pace.spend(stream.taken - before, isAlone: isAlone, at: BoottimeClock.microseconds()) }
        return stream.move(isAlone ? SpoolStream.chunk : entry.sandbox.pace.piece)
    }

    /// Stops reading for as long as the sandbox is ahead of its pace.
    private func pauseIfAhead(_ entry: SpooledCommand, _ index: Int) {
        guard entry.open[index], !entry.waiting[index], !entry.behind[index], !entry.finishing else { return }
        let wait = entry.sandbox.pace.wait(at: BoottimeClock.microseconds())
        if wait > 0 { rest(entry, index, milliseconds: wait / 1_000 + 1) }
    }

    private func tellLimit(_ entry: SpooledCommand) {
        guard !entry.hasToldLimit, entry.streams.contains(where: { $0.truncated }) else { return }
        entry.hasToldLimit = true
        answer(.limitReached(token: entry.token))
    }

    private func close(_ entry: SpooledCommand, _ index: Int) {
        guard entry.open[index] else { return }
        entry.open[index] = false
        loop.forget(entry.streams[index].pipe)
        completeIfDrained(entry)
    }

    /// Stops reading until there is room: the pipe fills and the writer waits.
    private func stall(_ entry: SpooledCommand, _ index: Int) {
        entry.stalledSince = entry.stalledSince ?? BoottimeClock.milliseconds()
        rest(entry, index, milliseconds: Self.retryMs)
    }

    /// Stops reading until the reader is further, or the command has ended. Silence all the while: timeouts go on.
    private func standStill(_ entry: SpooledCommand, _ index: Int) {
        entry.stalledSince = entry.stalledSince ?? BoottimeClock.milliseconds()
        entry.behind[index] = true
        loop.forget(entry.streams[index].pipe)
    }

    private func rest(_ entry: SpooledCommand, _ index: Int, milliseconds: UInt64) {
        loop.forget(entry.streams[index].pipe)
        guard !entry.waiting[index] else { return }
        entry.waiting[index] = true
        _ = loop.schedule(at: BoottimeClock.milliseconds() + milliseconds) { [unowned self] in resume(entry, index) }
    }

    private func resume(_ entry: SpooledCommand, _ index: Int) {
        entry.waiting[index] = false
        guard entry.open[index] else { return }
        entry.countStall()
        do throws(SystemError) {
            try loop.watch(entry.streams[index].pipe, .readable) { [unowned self] in move(entry, index) }
        } catch { stall(entry, index) }
    }

    private func finish(_ entry: SpooledCommand) {
        entry.finishing = true
        entry.behind = [false, false]
        for index in entry.streams.indices where entry.open[index] {
            entry.streams[index].endHere()
            draining: while true {
                switch entry.streams[index].move() {
                case .more: continue
                // What is empty by now has ended, even where its end is held somewhere.
                case .empty, .ended:
                    close(entry, index)
                    break draining
                case .full, .behind:
                    stall(entry, index)
                    break draining
                }
            }
        }
        reader?.tell(entry)
        tellLimit(entry)
        completeIfDrained(entry)
        guard entries[entry.token] != nil else { return }
        _ = loop.schedule(at: BoottimeClock.milliseconds() + Self.roomLimitMs) { [unowned self] in cut(entry) }
    }

    /// What is in the pipes by now finds no room: an end that nobody hears of would be worse than a cut output.
    private func cut(_ entry: SpooledCommand) {
        guard entries[entry.token] != nil else { return }
        Diagnostics.write("spooler: \(entry.id): the last of its output is lost: there is no room for it")
        entry.isCut = true
        entry.countStall()
        for index in entry.streams.indices { close(entry, index) }
    }

    private func completeIfDrained(_ entry: SpooledCommand) {
        guard entry.finishing, entry.open.allSatisfy({ !$0 }), remove(entry.token) != nil else {
            return
        }
        var counts = SpoolerCounts(token: entry.token)
        counts.stdoutBytes = entry.streams[0].written
        counts.stderrBytes = entry.streams[1].written
        counts.truncated = entry.isCut || entry.streams.contains { $0.truncated }
        counts.stalledMs = entry.stalledMs
        answer(.finished(counts))
    }
}

import LinuxSystem

/// Puts the program that is at the launcher's path by now in the place of this one, with execve(2): the process stays,
/// and with it its children and whatever is open. What only memory has goes along as a `LauncherState`.
///
/// The other program is asked before. What cannot be handed over, such as a start that is under way, is waited for, and
/// new requests wait meanwhile; deadlines, signals and ends do not.
final class Upgrade {
    private unowned let launcher: Launcher
    private let service: LauncherService
    private let listener: LauncherListener
    private let path: String
    private let upgrades: UInt32
    private var isUnderWay = false
    private var nextLook: EventLoop.TimerToken?

    private static let settleLimitMs: UInt64 = 10_000
    private static let lookMs: UInt64 = 5

    /// - Parameters:
    ///   - path: where the launcher was first started from. Nobody who connects names one.
    ///   - upgrades: how many there were.
    init(
        _ launcher: Launcher, _ service: LauncherService, _ listener: LauncherListener, path: String, upgrades: UInt32
    ) {
        self.launcher = launcher
        self.service = service
        self.listener = listener
        self.path = path
        self.upgrades = upgrades
    }

    func begin() {
        guard !isUnderWay else { return }
        guard case .host = launcher.rights.outside else {
            return refuse("an ordinary user's launcher does not hand over: end it and start it again")
        }
        do {
            let program = try SealedProgram.copy(at: path)
            let state = try SealedFile.make(try state().encoded(), name: "state")
            isUnderWay = true
            try StateTrial.run(program, state, words, launcher.loop) { [unowned self] refusal in
                if let refusal { return refuse(refusal) }
                service.holdBack { [unowned self] in refuse("too many requests wait; try again later") }
                settle(program, until: BoottimeClock.milliseconds() + Self.settleLimitMs)
            }
        } catch {
            refuse("\(error)")
        }
    }

    private func refuse(_ why: String) {
        isUnderWay = false
        nextLook.map(launcher.loop.cancel)
        launcher.whenQuiet = nil
        Diagnostics.write("upgrade: \(path) does not take over, and this launcher goes on: \(why)")
        service.goOn()
    }

    private var unsettled: String? { launcher.unsettled ?? service.unsettled }

    private func settle(_ program: FileDescriptor, until limit: UInt64) {
        guard let why = unsettled else {
            launcher.whenQuiet = { [unowned self] in
                // The last events may have begun something.
                if unsettled == nil { handOver(to: program) } else { settle(program, until: limit) }
            }
            return launcher.loop.wakeIdleWork()
        }
        let now = BoottimeClock.milliseconds()
        guard now < limit else { return refuse("still after \(Self.settleLimitMs / 1_000) s \(why); try again later") }
        nextLook = launcher.loop.schedule(at: now + Self.lookMs) { [unowned self] in settle(program, until: limit) }
    }

    private func handOver(to program: FileDescriptor) {
        do {
            let bytes = try state().encoded()
            guard bytes.count <= LauncherState.limit else { throw LauncherError("the state is too long") }
            // As it will be read; and what it names stays open.
            var named: [Int32] = []
            _ = try LauncherState(decoding: bytes, &named)
            let file = try SealedFile.make(bytes, name: "state")
            named.append(file.raw)
            do throws(SystemError) {
                for number in named { try FileDescriptor.setInherited(number, true) }
                try SealedProgram.execute(
                    program, CommandLine.arguments.prefix(1) + words + [LauncherOptions.stateName, "\(file.raw)"])
            } catch {
                for number in named { try? FileDescriptor.setInherited(number, false) }
                throw error
            }
        } catch {
            refuse("\(error)")
        }
    }

    private func state() throws -> LauncherState {
        let state = launcher.state(
            upgrades: upgrades + 1, layerRemovals: service.layerRemovals, service.state(listener))
        guard let state else { throw LauncherError("there are no cgroups to hand over") }
        return state
    }

    /// This program's own options, but for what the one before it handed over.
    private var words: [String] {
        var words = Array(CommandLine.arguments.dropFirst())
        if let place = words.firstIndex(of: LauncherOptions.stateName) { words.removeSubrange(place...place + 1) }
        return words
    }
}

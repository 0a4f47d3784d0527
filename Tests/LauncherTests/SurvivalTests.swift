import Foundation
import LinuxSystem
import SandpoolSandbox
import Testing

/// Workers that come and go, and launchers that die.
@Suite struct SurvivalTests {
    @Test func anEndedWorkersSandboxIsAdoptedWithItsCode() throws {
        try withService { service in
            let first = try service.connect()
            let started = try first.start(.shell("echo up; read line; echo $line; exit 23").withInput())
            try first.waitForOutput("test", atLeast: 3)
            let quick = try first.start(.shell("exit 5", id: "quick"))
            withExtendedLifetime(quick) {}
            first.disconnect()

            let second = try service.connect()
            let input = try second.adoptedInput(of: "test", among: 2)
            try #expect(second.report(of: "quick").end == .exited(code: 5))
            try #require(input).writeAll(Array("hello\n".utf8))
            let finished = try second.finish("test", started)
            #expect(finished.report.end == .exited(code: 23))
            #expect(finished.text == "up\nhello\n")
        }
    }

    /// A launcher whose worker is gone takes its sandboxes down, and the next one may be there before it has ended.
    @Test func theOneBeforeIsWaitedFor() throws {
        try withHeldDirectory { lock, process, socket in
            let files = "/proc/\(process.pid)/fd"
            let path = "\(process.dataDirectory)/lock"
            while try !FileManager.default.contentsOfDirectory(atPath: files).contains(where: {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(files)/\($0)")) == path
            }) {
                try #require(!process.ends(within: 1))
            }
            flock(lock.raw, LOCK_UN)
            let client = try LauncherClient(socket, process)
            client.disconnect()
            #expect(process.wait() == 0)
        }
    }

    @Test func oneThatStaysIsSaid() throws {
        try withHeldDirectory { _, process, socket in
            let message = try #require(try socket.receive(limit: LauncherProtocol.messageLimit))
            let expected = "data directory \(process.dataDirectory) is in use by another launcher"
            #expect(try LauncherEvent(decoding: message.bytes) == .refused(message: expected))
            shutdown(socket.descriptor.raw, Int32(SHUT_RDWR))
            #expect(process.wait() == 1 << 8)
        }
    }

    /// Somebody else holds the lock of the data directory of a launcher that was just started.
    private func withHeldDirectory(_ body: (FileDescriptor, LauncherProcess, SeqPacketSocket) throws -> Void) throws {
        let directory = try LauncherProcess.temporaryDirectory()
        defer { LauncherProcess.removeData(directory) }
        let lock = try FileDescriptor.open("\(directory)/lock", O_RDWR | O_CREAT, mode: 0o600)
        #expect(flock(lock.raw, LOCK_EX) == 0)
        defer { flock(lock.raw, LOCK_UN) }
        let (own, theirs) = try SeqPacketSocket.pair()
        let process = try LauncherProcess(
            dataDirectory: directory, arguments: ["--connected-fd", "3"], connection: theirs.descriptor)
        defer { if !process.hasEnded { kill(process.pid, SIGKILL); process.wait() } }
        try body(lock, process, own)
    }

    /// What a worker asked for just before it went is neither dropped nor lost: the next one hears how it goes.
    @Test(arguments: [["/bin/sh", "-c", "exit 7"], ["/no/such/program"]])
    func aStartUnderWayIsTakenOver(command: [String]) throws {
        try withService { service in
            var heard: Set<String> = []
            for round in 0..<8 {
                let first = try service.connect()
                // Stopped, so that the start, the worker's end and the next worker are all there when it looks.
                kill(service.process.pid, SIGSTOP)
                var plan = SandboxPlan.test("", id: "round-\(round)")
                plan.arguments = command
                try first.request(plan)
                first.disconnect()
                let socket = try service.socket()
                kill(service.process.pid, SIGCONT)
                let second = try LauncherClient(socket, service.process)
                let end: String = try second.next { event, _ in
                    switch event {
                    case .starting(plan.id), .adopted(plan.id, _):
                        heard.insert("taken over")
                        return nil
                    case .failed(plan.id, let failure): return "\(failure.kind)"
                    case .exited(plan.id, let report): return "\(report.end)"
                    default: return nil
                    }
                }
                heard.insert(end)
                try second.send(.release(id: plan.id))
                second.disconnect()
            }
            let isMissing = command[0] == "/no/such/program"
            #expect(heard == ["taken over", isMissing ? "commandNotFound" : "exited(code: 7)"])
        }
    }

    /// A worker tells by it whether what it asked for can have run and gone.
    @Test func aLauncherNamesItselfAlikeToEachWorkerAndLikeNoOther() throws {
        var names: [String] = []
        for _ in 0..<2 {
            try withService { service in
                for _ in 0..<2 {
                    let client = try service.connect()
                    names.append(client.instance)
                    client.disconnect()
                }
            }
        }
        #expect(names[0] == names[1] && names[2] == names[3] && names[0] != names[2])
        #expect(names.allSatisfy { $0.utf8.count == 36 })
    }

    @Test func aSecondWorkerIsRefused() throws {
        try withService { service in
            let first = try service.connect()
            #expect(throws: TestFailure.self) { try service.connect() }
            try #expect(first.run(.test("/bin/true")).report.end == .exited(code: 0))
        }
    }

    @Test func anUnknownVersionIsRefused() throws {
        try withService { service in
            let socket = try service.socket()
            try socket.send(LauncherRequest.hello(version: 99).encoded())
            let answer = try #require(try socket.receive(limit: LauncherProtocol.messageLimit))
            guard case .refused(let message) = try LauncherEvent(decoding: answer.bytes) else {
                throw TestFailure("no refusal")
            }
            #expect(message.contains("99"))
            try #expect(socket.receive(limit: 1_024) == nil)
        }
    }

    @Test func bytesThatAreNoRequestEndOnlyTheConnection() throws {
        try withService { service in
            for bytes: [UInt8] in [[0xff], [2, 0xff, 0xff, 0xff, 0xff], [UInt8](repeating: 7, count: 5_000)] {
                let socket = try service.socket()
                try socket.send(bytes)
                while try socket.receive(limit: LauncherProtocol.messageLimit) != nil {}
            }
            try #expect(service.connect().run(.test("/bin/true")).report.end == .exited(code: 0))
        }
    }

    @Test func aKilledLauncherLeavesNothingAfterTheNextStart() throws {
        let directory = try LauncherProcess.temporaryDirectory()
        defer { LauncherProcess.removeData(directory) }
        let marker = "sandpool-marker-\(UUID().uuidString)"
        let first = try Service(directory)
        let client = try first.connect()
        _ = try client.start(.test("/bin/sh", "-c", "echo up; (setsid sleep 1000 &) ; sleep 1000", marker))
        try client.waitForOutput("test", atLeast: 3)
        kill(first.process.pid, SIGKILL)
        first.process.wait()

        let second = try Service(directory)
        try #expect(second.connect().run(.test("/bin/true")).report.end == .exited(code: 0))
        #expect(processes(containing: marker).isEmpty)
        second.stop()
        #expect(hostMounts(below: directory).isEmpty)
        for path in second.process.cgroupDirectories() { #expect(!FileManager.default.fileExists(atPath: path)) }
    }

    @Test func aDataDirectoryHasOneLauncher() throws {
        try withService { service in
            // It listens, so it has the lock: the other way round the second would be the one that lives.
            let client = try service.connect()
            let second = try LauncherProcess(
                dataDirectory: service.directory, arguments: ["--socket", service.directory + "/other"])
            #expect(second.wait() == 1 << 8)
            try #expect(client.run(.test("/bin/true")).report.end == .exited(code: 0))
        }
    }

    @Test func aNewerDataDirectoryIsRefused() throws {
        let directory = try LauncherProcess.temporaryDirectory()
        defer { LauncherProcess.removeData(directory) }
        try "999\n".write(toFile: directory + "/version", atomically: false, encoding: .utf8)
        let launcher = try LauncherProcess(dataDirectory: directory, arguments: ["--socket", directory + "/s"])
        #expect(launcher.wait() == 1 << 8)
    }

    @Test(arguments: [
        [], ["--socket"], ["--socket", "/a", "--connected-fd", "3"], ["--floor", "x"], ["--what", "1"],
        ["--socket", "/a", "--without", "seccomp"], ["--connected-fd", "3", "--without", "seccomp"],
    ])
    func aWrongCommandLineIsAnError(arguments: [String]) throws {
        let launcher = try LauncherProcess(dataDirectory: "/nonexistent", arguments: arguments)
        #expect(launcher.wait() == 2 << 8)
    }

    @Test(arguments: [[]] + Mechanism.allCases.map { ["--without", $0.rawValue] })
    func theFloorIsMeasured(less: [String]) throws {
        let directory = try LauncherProcess.temporaryDirectory()
        defer { LauncherProcess.removeData(directory) }
        let line = try Command.run(
            [LauncherProcess.binary(), "--data-dir", directory, "--floor", "10", "--parallel", "2"] + less)
        #expect(line.hasPrefix("sandboxes 10 ") && !line.contains("failed"), "\(line)")
    }
}

private func processes(containing text: String) -> [String] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.filter { entry in
        guard Int(entry) != nil, let line = FileManager.default.contents(atPath: "/proc/\(entry)/cmdline") else {
            return false
        }
        return String(decoding: line, as: UTF8.self).contains(text)
    }
}

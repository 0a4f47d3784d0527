import Foundation
import LinuxSystem
import SandpoolSandbox
import Testing

/// Programs that cannot take over: the one that is there goes on as if nothing had been.
@Suite struct UpgradeRefusalTests {
    @Test func theLauncherGoesOn() throws {
        try withUpgrades { launcher in
            let client = try launcher.connect()
            let started = try client.start(.waiting)
            try launcher.replace(with: "/usr/bin/false")
            try #expect(launcher.refusal().contains("does not take over, and this launcher goes on: exit code 1"))
            try launcher.replace(with: "/usr/bin/true")
            try #expect(launcher.refusal().contains("it knows nothing of taking over"))
            try launcher.replace(with: "/etc/passwd")
            try #expect(launcher.refusal().contains("execve of a sealed copy"))
            try launcher.remove()
            try #expect(launcher.refusal().contains("No such file or directory"))
            let future = try TestProgram("future-launcher")
            defer { future.remove() }
            try launcher.replace(with: future.file.path)
            try #expect(launcher.refusal().contains("state version 1 is not known here, which knows 2"))

            try #expect(client.run(.shell("exit 2", id: "other")).report.end == .exited(code: 2))
            try #expect(client.exec(.shell("exit 3")).report.end == .exited(code: 3))
            try launcher.upgrade()
            try #require(started.input).writeAll(Array("x\n".utf8))
            try #expect(client.finish("test", started).report.end == .exited(code: 5))
        }
    }

    /// A layer that is unpacked cannot be handed over, and takes as long as its archive does. What was asked for
    /// meanwhile is done when the upgrade is put off.
    @Test func whatTakesTooLongPutsItOff() throws {
        try withUpgrades { launcher in
            let client = try launcher.connect()
            let started = try client.start(.waiting)
            let (archive, end) = try Self.archiveThatStalls(in: launcher.folder)
            try client.send(.importLayer(layer: "slow"), [archive])
            launcher.ask()
            // With the trial behind it, starts wait.
            try client.request(.shell("exit 7", id: "other"))
            try client.requestExec(.shell("exit 6"))
            let said = try launcher.awaitRefusal()
            #expect(said.contains("import.slow is at work for the launcher; try again later"), "\(said)")
            for (id, code) in [("other", UInt8(7)), ("exec", 6)] {
                guard case .started = try client.outcome(of: id) else { throw TestFailure("\(id) failed") }
                try #expect(client.report(of: id).end == .exited(code: code))
            }
            try end.writeAll([UInt8](repeating: 0, count: 10_240))
            let isReady: Bool = try client.next { event, _ in
                if case .layerReady("slow", _) = event { return true }
                return nil
            }
            #expect(isReady)
            try launcher.upgrade()
            try #require(started.input).writeAll(Array("x\n".utf8))
            try #expect(client.finish("test", started).report.end == .exited(code: 5))
        }
    }

    /// A worker that comes while a start waits hears of it: what it is not told of is lost to it.
    @Test func theNextWorkerHearsOfAStartThatWaits() throws {
        try withUpgrades { launcher in
            let first = try launcher.connect()
            let (archive, end) = try Self.archiveThatStalls(in: launcher.folder)
            try first.send(.importLayer(layer: "slow"), [archive])
            launcher.ask()
            try first.request(.shell("exit 7", id: "other"))
            first.disconnect()
            let second = try launcher.connect()
            let isTold: Bool = try second.next { event, _ in
                switch event {
                case .starting("other"), .adopted("other", _): true
                default: nil
                }
            }
            #expect(isTold)
            _ = try launcher.awaitRefusal()
            try #expect(second.report(of: "other").end == .exited(code: 7))
            try end.writeAll([UInt8](repeating: 0, count: 10_240))
        }
    }

    /// A pipe with a name, since the launcher opens what it is handed anew; and its other end.
    private static func archiveThatStalls(in folder: String) throws -> (FileDescriptor, FileDescriptor) {
        let path = folder + "/archive"
        guard mkfifo(path, 0o600) == 0 else { throw TestFailure("mkfifo: \(errno)") }
        return (try FileDescriptor.open(path, O_RDWR), try FileDescriptor.open(path, O_RDWR))
    }

    /// The program itself, asked about states that are none, or not of its version.
    @Test func statesThatCannotBeReadAreRefused() throws {
        let magic = Array("sapstate".utf8)
        let version: [UInt8] = [2, 0, 0, 0]
        let states: [([UInt8], String)] = [
            ([], "the message ends"), ([UInt8](repeating: 0, count: 64), "this is no launcher's state"),
            (magic + version + [UInt8](repeating: 0, count: 16), "state version 2 is not known here, which knows 1"),
            (magic + [1, 0, 0, 0] + [1] + [UInt8](repeating: 0, count: 15), "the state has 0 bytes of 1"),
            (magic + [1, 0, 0, 0] + [1] + [UInt8](repeating: 0, count: 16), "check sum"),
        ]
        for (bytes, why) in states {
            let (code, said) = try Self.ask(SealedFile.make(bytes, name: "state"))
            #expect(code == 1 && said.contains(why), "\(code) \(said)")
        }
        let open = try MemoryFile.make("state")
        try #expect(Self.ask(open) == (1, "sandpool-launcher: the state is not sealed\n"))
    }

    private static func ask(_ state: FileDescriptor) throws -> (Int32, String) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let said = try LinuxSystem.Pipe()
        posix_spawn_file_actions_adddup2(&actions, said.writeEnd.raw, 2)
        posix_spawn_file_actions_adddup2(&actions, state.raw, 3)
        let words = [try LauncherProcess.binary(), "--try-state", "3", "--data-dir", "/tmp/x", "--socket", "/tmp/x/y"]
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        var pid: pid_t = 0
        guard posix_spawn(&pid, words[0], &actions, nil, &pointers, environ) == 0 else {
            throw TestFailure("posix_spawn: \(errno)")
        }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        try said.readEnd.setNonBlocking()
        var buffer = [UInt8](repeating: 0, count: 1_000)
        let count = read(said.readEnd.raw, &buffer, buffer.count)
        return ((status >> 8) & 0xff, String(decoding: buffer[..<max(0, count)], as: UTF8.self))
    }
}

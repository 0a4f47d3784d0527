import Foundation
import LinuxSystem
import SandpoolSandbox
import Testing

/// What a command must not see or be able to do. The full battery of probes is a suite of its own.
@Suite struct IsolationTests {
    @Test func aCommandHasNoPrivileges() throws {
        try withLauncher { launcher in
            for user in ["0", "1000"] {
                let text = try launcher.run(
                    .test("/bin/grep", "-E", "^(Cap|NoNewPrivs|Seccomp:)", "/proc/self/status", user: user)
                ).text
                let values = text.split(separator: "\n").map { $0.split(separator: "\t").last ?? "" }
                #expect(
                    values == [
                        "0000000000000000", "0000000000000000", "0000000000000000", "0000000000000000",
                        "0000000000000000", "1", "2",
                    ], "\(text)")
            }
        }
    }

    @Test func theSpoolerHasNoPrivilegesAndAFilter() throws {
        try withLauncher { launcher in
            try #expect(launcher.run(.shell("echo x")).text == "x\n")
            let process = try #require(launcher.process)
            let spooler = try #require(LauncherState(of: process).children.first)
            let status = try String(contentsOfFile: "/proc/\(spooler)/status", encoding: .utf8)
            for line in ["CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
                #expect(status.contains("\n\(line)\n"), "\(line)")
            }
        }
    }

    /// Not even the host's root can write to what pid 1 and the others run from, nor does its command line say more.
    @Test func pid1RunsFromASealedCopyAndNamesNoHostPath() throws {
        try withLauncher { launcher in
            let process = try #require(launcher.process)
            let started = try launcher.start(
                .test("/bin/sh", "-c", "tr -d '\\0' </proc/1/cmdline; read line", stdin: .pipe))
            try launcher.waitForOutput("test", atLeast: 4)
            let copies = try LauncherState(of: process).children.map { "\($0)" } + ["\(process.pid)"]
            #expect(copies.count >= 3)
            for id in copies {
                let program = try FileDescriptor.open("/proc/\(id)/exe", O_RDONLY)
                #expect(SealedFile.isSealed(program))
                #expect(throws: SystemError.self) { try FileDescriptor.open("/proc/\(id)/exe", O_WRONLY) }
            }
            try launcher.send(.cancel(id: "test", graceMs: 0))
            try #expect(launcher.finish("test", started).text == "init")
        }
    }

    @Test func aBlockedNetworkHasOnlyLoopback() throws {
        try withLauncher { launcher in
            let script = "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '; (exec 3<>/dev/tcp/192.0.2.1/80) 2>&1"
            let text = try launcher.run(.test("/bin/bash", "-c", script)).text
            #expect(text.hasPrefix("lo\n"))
            #expect(text.contains("unreachable"))
            let server = """
                import socket
                s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
                c = socket.create_connection(s.getsockname()); c.sendall(b"ok"); print(s.accept()[0].recv(2).decode())
                """
            try #expect(launcher.run(.test("/usr/bin/python3", "-c", server)).text == "ok\n")
        }
    }

    @Test func theHostsFilesDoNotShow() throws {
        try withLauncher { launcher in
            let script = "ls -A /home /root /usr/local /var/lib /mnt; cat /etc/shadow; cat /proc/mounts; ls /etc"
            let finished = try launcher.run(.shell(script))
            let directory = try #require(launcher.process).dataDirectory
            for line in finished.text.split(separator: "\n") where line.contains(" ") {
                #expect(!line.contains(directory), "\(line)")
            }
            #expect(finished.text.hasPrefix("/home:\n\n/mnt:\n\n/root:\n\n/usr/local:\n\n/var/lib:\n"))
            #expect(finished.errorText.contains("shadow"))
        }
    }

    @Test func theTreeIsWritableOnlyWhereItIsItsOwn() throws {
        try withLauncher { launcher in
            let script = """
                touch /etc/new /var/new /opt/new /new && echo own
                for f in /usr/new /usr/bin/new /dev/new /proc/new; do touch $f 2>/dev/null && echo "wrote $f"; done
                mount -t tmpfs none /mnt 2>/dev/null && echo mounted
                umount /dev/shm 2>/dev/null && echo unmounted
                unshare -U true 2>/dev/null && echo unshared
                mknod /tmp/n c 1 3 2>/dev/null && echo node
                chroot / true 2>/dev/null && echo chroot
                echo 1 > /proc/sys/kernel/panic && echo sysctl
                exit 0
                """
            try #expect(launcher.run(.shell(script)).text == "own\n")
            try #expect(launcher.run(.shell("ls /new /etc/new 2>/dev/null | wc -l")).text == "0\n")
        }
    }

    @Test func eachHasItsOwnNamespaces() throws {
        try withLauncher { launcher in
            let script = "for n in user mnt pid net ipc uts cgroup; do readlink /proc/self/ns/$n; done"
            let inside = try launcher.run(.shell(script)).text.split(separator: "\n").map(String.init)
            let second = try launcher.run(.shell(script)).text.split(separator: "\n").map(String.init)
            let outside = try ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"].map {
                try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/\($0)")
            }
            #expect(inside.count == 7)
            for (mine, theirs) in zip(inside, outside) { #expect(mine != theirs) }
            #expect(second.count == 7)
            let map = try launcher.run(.test("/bin/cat", "/proc/self/uid_map")).text.split(separator: " ")
            #expect(map.first == "0" && map.last == "65536\n")
        }
    }

    @Test func processesOfOthersDoNotShow() throws {
        try withLauncher { launcher in
            let finished = try launcher.run(
                .shell("echo /proc/[0-9]*; cat /proc/1/environ /proc/1/maps; ls /proc/1/fd"))
            #expect(finished.text.hasPrefix("/proc/1 /proc/2\n"))
            #expect(finished.errorText.contains("denied"))
        }
    }
}

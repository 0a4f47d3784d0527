import Foundation
import SandpoolSandbox
import Testing

/// `/dev` of a sandbox: what programs expect and nothing else, and terminals of its own.
@Suite struct DeviceTests {
    @Test(arguments: [SandboxPlan.Root.host, .scratch])
    func theListIsExact(root: SandboxPlan.Root) throws {
        // In a scratch image the program is the test's own: what is listed comes from outside of any image.
        let lister = try TestProgram("list-devices")
        defer { lister.remove() }
        try withLauncher { launcher in
            let mount = try lister.mount(for: launcher)
            let finished = try launcher.run(.test(TestProgram.path, root: root, mounts: [mount]))
            let expected = """
                fd -> /proc/self/fd
                full c 1:7 666
                null c 1:3 666
                ptmx -> pts/ptmx
                pts d 755
                pts/ptmx c 5:2 666
                random c 1:8 666
                shm d 1777
                stderr -> /proc/self/fd/2
                stdin -> /proc/self/fd/0
                stdout -> /proc/self/fd/1
                tty c 5:0 666
                urandom c 1:9 666
                zero c 1:5 666

                """
            #expect(finished.text == expected, "\(finished.errorText)")
        }
    }

    @Test func theyWorkAndCannotBeChanged() throws {
        let script = """
            head -c 3 /dev/zero | od -An -tx1; head -c 8 /dev/urandom | wc -c; echo x > /dev/null
            echo x 2>/dev/null > /dev/full || echo full
            for f in /dev/new /dev/pts/new; do touch $f 2>/dev/null && echo "made $f"; done
            rm -f /dev/null 2>/dev/null && echo removed
            ln -s x /dev/link 2>/dev/null && echo linked
            mknod /tmp/null c 1 3 2>/dev/null && echo node
            chmod 600 /dev/tty 2>/dev/null && echo changed
            (: < /dev/tty) 2>/dev/null && echo terminal
            exit 0
            """
        try withLauncher { launcher in
            for capabilities in [SandboxPlan.CapabilityProfile.run, .build] {
                let finished = try launcher.run(.test("/bin/sh", "-c", script, capabilities: capabilities))
                #expect(finished.text == " 00 00 00\n8\nfull\n", "\(finished.errorText)")
            }
        }
    }

    @Test func terminalsAreItsOwn() throws {
        let script = """
            import os, stat
            pairs = [os.openpty() for _ in range(3)]
            print([os.ttyname(one) for _, one in pairs], sorted(os.listdir("/dev/pts")))
            state = os.stat("/dev/pts/0")
            print(oct(stat.S_IMODE(state.st_mode)), state.st_uid, state.st_gid)
            os.write(pairs[0][0], b"x\\n"); print(os.read(pairs[0][1], 2))
            count = 3
            try:
                while count < 300: os.openpty(); count += 1
            except OSError: pass
            print(count)
            print("ready", flush=True)
            os.read(0, 1)
            """
        try withLauncher { launcher in
            let expected = """
                ['/dev/pts/0', '/dev/pts/1', '/dev/pts/2'] ['0', '1', '2', 'ptmx']
                0o620 1000 5
                b'x\\n'
                256
                ready

                """
            var started: [LauncherClient.Started] = []
            for id in ["one", "two"] {
                // The second counts from 0 while the first has all of its own.
                started.append(
                    try launcher.start(.test("/usr/bin/python3", "-c", script, id: id, user: "1000", stdin: .pipe)))
                try launcher.waitForOutput(id, atLeast: UInt64(expected.utf8.count))
            }
            for (id, one) in zip(["one", "two"], started) {
                try launcher.send(.cancel(id: id, graceMs: 0))
                let finished = try launcher.finish(id, one)
                #expect(finished.text == expected, "\(finished.errorText)")
            }
        }
    }

    @Test func sharedMemoryAndTemporaryFilesAreCountedAndBounded() throws {
        let script = """
            import os
            for place in ("/dev/shm", "/tmp"):
                state = os.statvfs(place)
                print(place, state.f_blocks * state.f_frsize, oct(os.stat(place).st_mode & 0o7777), state.f_flag & 6)
            open("/dev/shm/x", "wb").write(bytes(3 << 20))
            open("/tmp/x", "wb").write(bytes(2 << 20))
            """
        try withLauncher { launcher in
            let finished = try launcher.run(.test("/usr/bin/python3", "-c", script, user: "1000", disk: 16 << 20))
            // Of one size, that of the disk limit; 6 is ST_NOSUID and ST_NODEV.
            #expect(finished.text == "/dev/shm 16777216 0o1777 6\n/tmp 16777216 0o1777 6\n", "\(finished.errorText)")
            #expect(finished.report.diskBytes >= 5 << 20)
        }
    }
}

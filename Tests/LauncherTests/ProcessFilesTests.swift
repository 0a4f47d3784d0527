import Foundation
import SandpoolSandbox
import Testing

/// `/proc` of a sandbox: nothing of the host's to write, nothing of its hardware and keys to read, and all that
/// programs need.
@Suite struct ProcessFilesTests {
    struct Who: CustomTestStringConvertible, Sendable {
        var user: String
        var capabilities: SandboxPlan.CapabilityProfile
        var testDescription: String { "\(user) \(capabilities)" }
    }

    static let everybody = [
        Who(user: "0", capabilities: .run), Who(user: "1000", capabilities: .run), Who(user: "0", capabilities: .build),
    ]

    /// Every file that can be opened to write, below what is not the process's own.
    private static let writable = """
        import os
        found = []
        def attempt(path):
            try: os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW)); found.append(path)
            except OSError: pass
        seen = 0
        for place, directories, files in os.walk("/proc"):
            if place == "/proc": directories[:] = [name for name in directories if not name.isdigit()]
            for name in files:
                seen += 1
                attempt(place + "/" + name)
        assert seen > 300, seen
        attempt("/proc/self/comm")
        attempt("/proc/self/oom_score_adj")
        print(*found)
        """

    @Test(arguments: everybody) func nothingOfTheHostsCanBeWritten(who: Who) throws {
        try withLauncher { launcher in
            let finished = try launcher.run(
                .test(
                    "/usr/bin/python3", "-c", Self.writable, user: who.user, capabilities: who.capabilities))
            // Its own, last, show that the search finds what there is.
            #expect(finished.text == "/proc/self/comm /proc/self/oom_score_adj\n", "\(finished.errorText)")
        }
    }

    /// What they hold, name by name: nothing, whether they are masked, closed or not there at all.
    private static let hidden = """
        import os
        for name in "acpi asound interrupts kcore keys kmsg latency_stats pressure sched_debug scsi timer_list".split():
            path = "/proc/" + name
            try: size = len(os.listdir(path)) if os.path.isdir(path) else len(open(path, "rb").read(1))
            except (FileNotFoundError, PermissionError): size = 0
            if size: print(name)
        """

    @Test(arguments: everybody) func theHostsHardwareAndKeysDoNotShow(who: Who) throws {
        try #expect(Command.run(["/usr/bin/python3", "-c", Self.hidden]).contains("interrupts"))
        try withLauncher { launcher in
            let finished = try launcher.run(
                .test("/usr/bin/python3", "-c", Self.hidden, user: who.user, capabilities: who.capabilities))
            #expect(finished.text == "" && finished.report.end == .exited(code: 0), "\(finished.errorText)")
        }
    }

    @Test(arguments: everybody) func aMaskCannotBeTakenAway(who: Who) throws {
        let script = """
            for place in /proc/interrupts /proc/keys /proc/sys /proc; do
                umount -n $place 2>/dev/null && echo "unmounted $place"
                umount -nl $place 2>/dev/null && echo "detached $place"
                mount -n -o remount,bind,rw $place 2>/dev/null && echo "remounted $place"
                mount -nt proc proc $place 2>/dev/null && echo "mounted $place"
                mv $place /tmp/away 2>/dev/null && echo "moved $place"
            done
            cat /proc/interrupts
            awk '$2 == "/proc/sys" { print substr($4, 1, 3) }' /proc/mounts
            """
        try withLauncher { launcher in
            let finished = try launcher.run(
                .test("/bin/sh", "-c", script, user: who.user, capabilities: who.capabilities))
            #expect(finished.text == "ro,\n", "\(finished.errorText)")
        }
    }

    @Test func whatProgramsReadIsThere() throws {
        let script = """
            cd /proc && head -c 1 cpuinfo meminfo stat uptime loadavg version filesystems mounts self/cgroup \
                self/status self/maps sys/kernel/random/uuid sys/kernel/osrelease sys/vm/overcommit_memory > /dev/null
            echo $?; echo name > self/comm; echo $?; nproc > /dev/null; echo $?
            """
        try withLauncher { launcher in
            let finished = try launcher.run(.test("/bin/sh", "-c", script, user: "1000"))
            #expect(finished.text == "0\n0\n0\n", "\(finished.errorText)")
        }
    }
}

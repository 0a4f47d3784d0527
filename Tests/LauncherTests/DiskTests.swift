import Foundation
import LinuxSystem
import SandpoolSandbox
import Testing

/// Writable layers that are bigger than the memory: a file system of their own each, over a loop device.
@Suite struct DiskTests {
    @Test func theSizeIsWhatWasAskedFor() throws {
        try withDisks { launcher in
            for megabytes: UInt64 in [32, 100, 1_500] {
                let plan = SandboxPlan.test(
                    "/bin/df", "--block-size=1", "--output=fstype,avail,itotal", "/tmp", memory: 32 << 20,
                    disk: megabytes << 20)
                let finished = try launcher.run(plan)
                let words = finished.text.split(separator: "\n").last?.split(separator: " ").map(String.init) ?? []
                try #require(words.count == 3, "\(finished.text) \(finished.errorText)")
                #expect(words[0] == "ext4")
                // Less the directories that are there from the start.
                let free = UInt64(words[1]) ?? 0
                #expect(free <= megabytes << 20 && free >= megabytes << 20 - 65_536, "\(free)")
                let inodes = UInt64(words[2]) ?? 0
                let wanted = max(4_096, megabytes << 20 / 16_384)
                #expect(inodes >= wanted && inodes < wanted + 4_096, "\(inodes) of \(wanted)")
                #expect(finished.report.writableLayer == .loop)
            }
        }
    }

    @Test func whatFitsTheMemoryStaysInIt() throws {
        try withDisks { launcher in
            let plan = SandboxPlan.test(
                "/usr/bin/stat", "-f", "-c", "%T", "/tmp", memory: 64 << 20, disk: 64 << 20 - 4_096)
            let finished = try launcher.run(plan)
            #expect(finished.text == "tmpfs\n" && finished.report.writableLayer == .tmpfs)
        }
    }

    @Test func theDiskIsLimitedEverywhere() throws {
        try withDisks { launcher in
            _ = try launcher.importLayer("tree", try Archive.make([("in", "x")]))
            let mount = SandboxPlan.TreeMount(layer: "tree", path: "/mounted", isFile: false)
            for path in ["/x", "/tmp/x", "/usr/local/x", "/mounted/x"] {
                let script = "head -c 99000000 /dev/zero > \(path); s=$?; ls -s --block-size=1 \(path); exit $s"
                let plan = SandboxPlan.test(
                    "/bin/sh", "-c", script, mounts: [mount], memory: 32 << 20, disk: 64 << 20)
                let finished = try launcher.run(plan)
                #expect(finished.report.end == .exited(code: 1), "\(path)")
                #expect(finished.report.diskFull && !finished.report.inodesFull, "\(path)")
                #expect(finished.report.oomKills == 0)
                let written = finished.report.diskBytes
                #expect(written >= 64 << 20 - 65_536 && written <= 64 << 20, "\(path): \(written) \(finished.text)")
                #expect(finished.errorText.contains("No space left"), "\(path): \(finished.errorText)")
            }
        }
    }

    /// A write that asks for more than there is takes nothing of it, so something is left where it met the limit.
    @Test(arguments: ["4k", "1M", "4M", "64M"]) func bigWritesMeetTheLimitToo(size: String) throws {
        try withDisks { launcher in
            let plan = SandboxPlan.test(
                "/bin/dd", "if=/dev/zero", "of=/x", "bs=\(size)", memory: 128 << 20, disk: 200 << 20)
            let finished = try launcher.run(plan)
            #expect(finished.report.end == .exited(code: 1))
            #expect(finished.report.diskFull && !finished.report.inodesFull, "\(finished.report)")
        }
    }

    @Test func filesAreLimitedToo() throws {
        try withDisks { launcher in
            for (memory, kind): (UInt64, WritableLayerKind) in [(128 << 20, .tmpfs), (32 << 20, .loop)] {
                let plan = SandboxPlan.test(
                    "/bin/sh", "-c", "mkdir /tmp/d && cd /tmp/d && seq 9999 | xargs touch", memory: memory,
                    disk: 64 << 20)
                let report = try launcher.run(plan).report
                #expect(report.writableLayer == kind)
                #expect(report.end != .exited(code: 0))
                #expect(report.diskFull && report.inodesFull)
                #expect((4_000...4_096).contains(report.inodes), "\(report.inodes)")
            }
        }
    }

    @Test func roomThatWasNotUsedIsNoLimit() throws {
        try withDisks { launcher in
            let plan = SandboxPlan.test(
                "/bin/sh", "-c", "head -c 5000000 /dev/urandom > /x; sync; exit 3", memory: 32 << 20, disk: 64 << 20)
            let report = try launcher.run(plan).report
            #expect(report.end == .exited(code: 3) && !report.diskFull)
            #expect(report.diskBytes >= 5_000_000 && report.diskBytes < 6_000_000)
        }
    }

    @Test func sharedMemoryStaysMemory() throws {
        try withDisks { launcher in
            let script = "stat -f -c '%T %b*%S' /dev/shm; echo > /dev/shm/x"
            for user in ["0", "1000"] {
                let plan = SandboxPlan.test(
                    "/bin/sh", "-c", script, user: user, memory: 32 << 20, disk: 64 << 20)
                let finished = try launcher.run(plan)
                #expect(finished.text == "tmpfs 4096*4096\n", "\(finished.errorText)")
                #expect(finished.report.end == .exited(code: 0))
            }
        }
    }

    @Test func downloadsComeFromTheDisk() throws {
        try withDisks { launcher in
            _ = try launcher.importLayer("tree", try Archive.make([("in", "uploaded")]))
            let mount = SandboxPlan.TreeMount(layer: "tree", path: "/work", isFile: false)
            let sink = try TemporaryFile()
            let plan = SandboxPlan.test(
                "/bin/sh", "-c", "echo r > /out; echo n > /work/new; exit 3", mounts: [mount], memory: 32 << 20,
                disk: 64 << 20, downloads: ["/out", "/work"])
            let report = try launcher.run(plan, sink: sink.descriptor).report
            #expect(report.end == .exited(code: 3) && report.downloadMessage == "")
            #expect(report.writableLayer == .loop && report.changedMounts == 1)
            try #expect(sink.archived("out") == "r\n")
            try #expect(sink.archived("work/new") == "n\n")
            try #expect(sink.archived("work/in") == "uploaded")
        }
    }

    @Test func oneIsNeverUsedTwice() throws {
        try withDisks { launcher in
            // More than are kept ready, of one size and of several.
            for round: UInt64 in 0..<12 {
                let plan = SandboxPlan.test(
                    "/bin/sh", "-c", "ls -A /tmp; echo secret > /tmp/left", memory: 32 << 20,
                    disk: (64 + round % 5) << 20)
                try #expect(launcher.run(plan).text == "")
            }
        }
    }

    @Test func manyStartAtOnce() throws {
        try withDisks { launcher in
            let plans = (0..<16).map { number in
                SandboxPlan.test("/bin/sh", "-c", "exit 3", id: "disk-\(number)", memory: 32 << 20, disk: 64 << 20)
            }
            for plan in plans { try launcher.request(plan) }
            for plan in plans {
                guard case .started = try launcher.outcome(of: plan.id) else { throw TestFailure("no start") }
                try #expect(launcher.report(of: plan.id).end == .exited(code: 3))
            }
        }
    }

    @Test func aWaitThatIsCancelledEnds() throws {
        try withDisks { launcher in
            for number in 0..<8 {
                let plan = SandboxPlan.test("/bin/sleep", "1000", id: "w-\(number)", memory: 32 << 20, disk: 64 << 20)
                try launcher.request(plan)
                try launcher.send(.cancel(id: plan.id, graceMs: 0))
                switch try launcher.outcome(of: plan.id) {
                case .failed(let failure): #expect(failure.message.contains("cancelled"), "\(failure)")
                case .started: try #expect(launcher.report(of: plan.id).reason == .cancelled)
                }
            }
            let plan = SandboxPlan.test("/bin/true", memory: 32 << 20, disk: 64 << 20)
            try #expect(launcher.run(plan).report.end == .exited(code: 0))
        }
    }

    @Test func aHostWithoutRoomSaysSo() throws {
        try withDisks { launcher in
            let failure = try launcher.failure(of: .test("/bin/true", disk: 1 << 50))
            #expect(failure.stage == "disk" && failure.kind == .setup, "\(failure)")
            try #expect(launcher.run(.test("/bin/true")).report.end == .exited(code: 0))
        }
    }

    @Test func aHostWithoutFormatterSaysSo() throws {
        let hidden = "for f in /usr/sbin/mke2fs /sbin/mke2fs; do [ -e $f ] && mount --bind /dev/null $f; done; "
        let prefix = [
            "/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", hidden + "exec \"$@\"", "sh",
        ]
        try withDisks(prefix: prefix) { launcher in
            let failure = try launcher.failure(of: .test("/bin/true", memory: 32 << 20, disk: 64 << 20))
            #expect(failure.stage == "disk" && failure.message.contains("apt-get install e2fsprogs"), "\(failure)")
        }
    }
}

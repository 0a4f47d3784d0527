import Glibc

/// Files of `/proc`, `/sys` and `/dev` through which the kernel is asked or told something.
enum KernelFileProbes {
    private static let wall: [Protection] = [.mountNamespace, .userNamespace]

    static let all: [Probe] =
        written.map { file in
            Probe(file.name, .kernel, file.about, behind: wall) { _ in Place.writing(file.path) }
        }
        + read.map { file in
            Probe(file.name, .kernel, file.about, behind: wall) { _ in Place.reading(file.path) }
        }
        + [
            Probe(
                "ipc-settings", .kernel, "change settings of its ipc namespace through /proc/sys",
                behind: [.mountNamespace]
            ) { _ in
                Place.writing("/proc/sys/kernel/shmmax")
            },
            Probe("kmsg", .kernel, "read the kernel's log", behind: wall) { _ in Place.opening("/proc/kmsg") },
            Probe("kmsg-device", .kernel, "read the kernel's log by its device", behind: wall) { _ in
                Place.opening("/dev/kmsg")
            },
            Probe(
                "cgroup-limits", .kernel, "change its own limits in the cgroup tree",
                behind: wall + [.cgroupNamespace]
            ) { _ in
                cgroupLimits()
            },
        ]

    private typealias File = (name: String, path: String, about: String)

    private static let written: [File] = [
        ("core-pattern", "/proc/sys/kernel/core_pattern", "have the host run a program for a core dump"),
        ("modprobe-path", "/proc/sys/kernel/modprobe", "have the host run a program in place of modprobe"),
        ("sysrq", "/proc/sysrq-trigger", "restart the host"),
        ("uevent-helper", "/sys/kernel/uevent_helper", "have the host run a program for a device"),
        ("drop-caches", "/proc/sys/vm/drop_caches", "empty the host's page cache"),
        ("binfmt", "/proc/sys/fs/binfmt_misc/register", "have the host run a program for a file type"),
        ("panic-settings", "/proc/sys/kernel/panic_on_oops", "make the host fragile"),
    ]

    private static let read: [File] = [
        ("kcore", "/proc/kcore", "read the kernel's memory"),
        ("memory-device", "/dev/mem", "read the machine's memory"),
        ("keys", "/proc/keys", "read names of others' keys"),
        ("timer-list", "/proc/timer_list", "read the timers of every process"),
        ("sched-debug", "/sys/kernel/debug/sched/debug", "read the scheduler's state of every process"),
        ("page-counts", "/proc/kpagecount", "read the use of physical memory"),
        ("vmalloc", "/proc/vmallocinfo", "read where the kernel keeps things"),
        ("slabs", "/proc/slabinfo", "read how the kernel's memory is used"),
        ("firmware", "/sys/firmware/acpi/tables/DSDT", "read the machine's firmware tables"),
    ]

    /// `cgroup.procs` of its own group, or of the group that a namespace shows as the root.
    private static func cgroupLimits() -> Outcome {
        var outcomes: [Outcome] = []
        for line in Place.text("/proc/self/cgroup").split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let trees =
                fields[1].isEmpty ? ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] : ["/sys/fs/cgroup/\(fields[1])"]
            for tree in trees { outcomes.append(Place.writing("\(tree)\(fields[2])/cgroup.procs")) }
        }
        return .first(of: outcomes)
    }
}

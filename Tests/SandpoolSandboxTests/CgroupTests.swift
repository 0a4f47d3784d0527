import Testing

@testable import SandpoolSandbox

@Suite struct CgroupTests {
    @Test func aHybridHostIsRead() {
        let membership = CgroupMembership(
            cgroup: "8:pids:/\n4:memory:/outer/inner\n1:cpu,cpuacct:/\n0::/\n",
            mountInfo: """
                30 1 0:1 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
                31 1 0:2 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
                32 1 0:3 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
                33 1 0:4 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
                """)
        #expect(membership.controllers["memory"] == "/sys/fs/cgroup/memory/outer/inner")
        #expect(membership.controllers["cpu"] == "/sys/fs/cgroup/cpu,cpuacct")
        #expect(membership.controllers["pids"] == "/sys/fs/cgroup/pids")
        #expect(membership.unified == "/sys/fs/cgroup/unified")
    }

    @Test func aUnifiedHostIsRead() {
        let membership = CgroupMembership(
            cgroup: "0::/system.slice/sandpool-launcher.service\n",
            mountInfo: "24 1 0:21 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n")
        #expect(membership.controllers.isEmpty)
        #expect(membership.unified == "/sys/fs/cgroup/system.slice/sandpool-launcher.service")
        #expect(membership.unifiedMount == "/sys/fs/cgroup")
    }

    @Test(arguments: ["", "\n\n", "nonsense", "1:memory", "a:b:c:d\n0::", "0 1 2 3 4 - x"])
    func nonsenseIsNotUsed(text: String) {
        let membership = CgroupMembership(cgroup: text, mountInfo: text)
        #expect(membership.controllers.isEmpty)
        #expect(membership.unifiedMount == nil)
    }

    @Test func keyedFilesAreRead() {
        let file = KeyedFile("low 0\nhigh 12\noom_kill 3\nbroken\nalso broken 1\nhuge 99999999999999999999\n")
        #expect(file["oom_kill"] == 3)
        #expect(file["high"] == 12)
        #expect(file["huge"] == nil)
        #expect(file["none"] == nil)
    }
}

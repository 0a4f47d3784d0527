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

    /// Without a cgroup namespace a container sees its own part of each tree, mounted where the tree would be.
    @Test func aContainersPartIsRead() {
        let membership = CgroupMembership(
            cgroup: "4:memory:/docker/a/b\n3:pids:/docker/a\n2:cpu:/elsewhere\n0::/../outside\n",
            mountInfo: """
                31 1 0:2 /docker/a /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
                32 1 0:3 /docker/a /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
                33 1 0:4 /docker/a /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
                34 1 0:5 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
                """)
        #expect(membership.controllers["memory"] == "/sys/fs/cgroup/memory/b")
        #expect(membership.controllers["pids"] == "/sys/fs/cgroup/pids")
        #expect(membership.controllers["cpu"] == nil)
        #expect(membership.unified == nil)
        #expect(membership.unifiedMount == "/sys/fs/cgroup/unified")
    }

    private static let unifiedMount = "24 1 0:21 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
    private static let mixedMounts = """
        30 1 0:1 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
        31 1 0:2 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
        32 1 0:3 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
        33 1 0:4 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw

        """

    @Test func aDelegatedUnitHoldsTheSandboxes() throws {
        let unit = "/sys/fs/cgroup/system.slice/sandpool-launcher.service"
        let membership = CgroupMembership(
            cgroup: "0::/system.slice/sandpool-launcher.service\n", mountInfo: Self.unifiedMount)
        let placement = try CgroupPlacement(membership) { $0 == unit }
        #expect(placement == .delegated(parent: unit))
        #expect(placement.directories(named: "sandpool-1") == ["\(unit)/sandpool-1"])
    }

    @Test(arguments: ["/user.slice/user-0.slice/session-1.scope", "/", "/../../outside"])
    func whereNothingIsDelegatedTheRootHoldsThem(own: String) throws {
        let membership = CgroupMembership(cgroup: "0::\(own)\n", mountInfo: Self.unifiedMount)
        let placement = try CgroupPlacement(membership) { _ in false }
        #expect(placement == .root(mount: "/sys/fs/cgroup"))
        #expect(placement.directories(named: "sandpool-1") == ["/sys/fs/cgroup/sandpool-1"])
    }

    /// The controllers decide, not what is delegated in a tree that has none.
    @Test func controllersOfVersionOneAreUsedWhereTheyAre() throws {
        let membership = CgroupMembership(
            cgroup: "3:cpu,cpuacct:/u\n2:memory:/u\n1:pids:/u\n0::/u\n", mountInfo: Self.mixedMounts)
        let placement = try CgroupPlacement(membership) { _ in true }
        #expect(
            placement.directories(named: "n") == [
                "/sys/fs/cgroup/memory/u/n", "/sys/fs/cgroup/pids/u/n", "/sys/fs/cgroup/cpu,cpuacct/u/n",
                "/sys/fs/cgroup/unified/u/n",
            ])
        let alone = Self.mixedMounts.split(separator: "\n").dropLast().joined(separator: "\n")
        let without = CgroupMembership(cgroup: "3:cpu:/\n2:memory:/\n1:pids:/\n", mountInfo: alone)
        try #expect(CgroupPlacement(without) { _ in true }.directories(named: "n").count == 3)
    }

    @Test(arguments: [("", ""), ("2:memory:/\n0::/\n", mixedMounts), ("0::/\n", "1 1 0:1 / / rw - ext4 /dev/a rw\n")])
    func aHostWithoutTheControllersIsRefused(cgroup: String, mounts: String) {
        let membership = CgroupMembership(cgroup: cgroup, mountInfo: mounts)
        let error = #expect(throws: LauncherError.self) { try CgroupPlacement(membership) { _ in true } }
        #expect(error?.description.contains("\n") == false)
    }

    @Test func missingControllersAreNamed() {
        #expect(ControllerHandDown.missing(from: "cpuset cpu io memory hugetlb pids rdma misc\n") == [])
        #expect(ControllerHandDown.missing(from: "cpuset cpu io pids\n") == ["memory"])
        #expect(ControllerHandDown.missing(from: "\n") == ["cpu", "memory", "pids"])
    }

    @Test(arguments: [
        (UInt32(10), UInt64(1), UInt64(10)), (500, 50, 512), (1_000, 100, 1_024), (2_000, 200, 2_048),
        (0, 1, 2), (.max, 10_000, 262_144),
    ])
    func processorsAreWeights(cpuMillis: UInt32, two: UInt64, one: UInt64) {
        #expect(CPUWeight.versionTwo(cpuMillis) == two)
        #expect(CPUWeight.versionOne(cpuMillis) == one)
    }

    @Test func keyedFilesAreRead() {
        let file = KeyedFile("low 0\nhigh 12\noom_kill 3\nbroken\nalso broken 1\nhuge 99999999999999999999\n")
        #expect(file["oom_kill"] == 3)
        #expect(file["high"] == 12)
        #expect(file["huge"] == nil)
        #expect(file["none"] == nil)
    }
}

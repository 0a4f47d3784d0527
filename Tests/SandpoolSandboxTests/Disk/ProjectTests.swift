import Glibc
import LinuxSystem
import Testing

@testable import SandpoolSandbox

/// What of project quotas needs no file system that has them; `scripts/vm/checks/quotas.sh` has the rest.
@Suite struct ProjectTests {
    @Test func everyIDComesOnceBeforeOneComesTwice() {
        var ids = ProjectIDs(dataDirectory: "/var/lib/sandpool/launcher")
        var seen: [UInt32] = []
        while let id = ids.take() { seen.append(id) }
        #expect(seen.count == Int(ProjectIDs.count) && Set(seen).count == seen.count)
        #expect(seen.allSatisfy { $0 >= 1 << 30 && $0 < 1 << 31 && $0 - ids.base < ProjectIDs.count })
        ids.giveBack(seen[7])
        let again = ids.take()
        #expect(again == seen[7])
    }

    @Test func whatIsGivenBackIsTakenLast() {
        var ids = ProjectIDs(dataDirectory: "/srv/a")
        let first = ids.take()
        if let first { ids.giveBack(first) }
        let second = ids.take()
        #expect(first == ids.base && second == ids.base + 1)
    }

    @Test func anIDOfAnEarlierLauncherIsNotTaken() {
        var ids = ProjectIDs(dataDirectory: "/srv/a")
        ids.keepFrom(ids.base)
        ids.keepFrom(3)
        let taken = ids.take()
        #expect(taken == ids.base + 1)
    }

    @Test func everyPlaceHasARangeOfItsOwn() {
        let places = (0..<100).map { ProjectIDs(dataDirectory: "/srv/\($0)").base }
        // A hundred of 16,384 ranges: that two are the same is likelier than not only from 151 on.
        #expect(Set(places).count >= 98)
        #expect(places[0] == ProjectIDs(dataDirectory: "/srv/0").base)
    }

    @Test func aRunOfSomebodyElsesIsLeaptOver() {
        // As many as there are tries, one after the other, as another launcher with the same range takes them.
        var ids = ProjectIDs(dataDirectory: "/srv/a")
        let others = ids.base..<ids.base + 5_000
        var tries = 0
        while let id = ids.take(), others.contains(id) {
            ids.leap(from: id)
            tries += 1
        }
        #expect(tries == 5)
        // Those that were leapt over are not lost.
        var seen: Set<UInt32> = []
        while let id = ids.take() { seen.insert(id) }
        #expect(seen.count == Int(ProjectIDs.count) - 1)
    }

    @Test func everyRangeIsLookedThroughForRoom() {
        for place in ["/srv/a", "/var/lib/sandpool/launcher", "/"] {
            let base = ProjectIDs(dataDirectory: place).base
            #expect(ProjectIDs.all.contains(base) && ProjectIDs.all.contains(base + ProjectIDs.count - 1))
        }
        #expect(ProjectIDs.all == 1 << 30..<1 << 31)
    }

    @Test func aReserveIsLeftToOthers() {
        #expect(ProjectRoom.reserve(of: 400 << 20) == 20 << 20)
        #expect(ProjectRoom.reserve(of: 1 << 50) == 1 << 30)
    }

    @Test func limitsAreThoseOfAnImage() {
        #expect(ProjectDirectory.Limit(bytes: 64 << 20) == ProjectDirectory.Limit(bytes: 64 << 20, inodes: 4_096))
        #expect(ProjectDirectory.Limit(bytes: (1 << 30) - 1).bytes == 1 << 30)
        #expect(ProjectDirectory.Limit(bytes: 1 << 40).inodes == 1 << 26)
    }

    @Test func aFullProjectIsFullByItsOwnLimits() {
        let limit = ProjectDirectory.Limit(bytes: 64 << 20, inodes: 4_096)
        func usage(_ bytes: UInt64, _ inodes: UInt64, isXFS: Bool = false) -> DiskUsage {
            DiskUsage(
                ProjectQuota.Record(bytes: bytes, inodes: inodes, byteLimit: limit.bytes, inodeLimit: limit.inodes),
                limit, isXFS: isXFS)
        }
        #expect(!usage(0, 1).isFull && !usage(0, 1).hasNoInodes)
        #expect(!usage(61 << 20, 4_095).isFull)
        #expect(usage(62 << 20, 1).isFull && !usage(62 << 20, 1).hasNoInodes)
        #expect(usage(65 << 20, 1).isFull)
        #expect(usage(60 << 20, 1, isXFS: true).isFull && !usage(60 << 20 - 1, 1, isXFS: true).isFull)
        #expect(usage(0, 4_096).isFull && usage(0, 4_096).hasNoInodes)
    }

    /// Whoever may have an id: something carries it, or an administrator said something of it.
    @Test func anIDIsUnusedWhenThereIsNothingOfIt() {
        func record(_ numbers: [UInt64], soft: Bool = false) -> ProjectQuota.Record {
            ProjectQuota.Record(
                bytes: numbers[0], inodes: numbers[1], byteLimit: numbers[2], inodeLimit: numbers[3],
                hasSoftLimits: soft)
        }
        #expect(record([0, 0, 0, 0]).isUnused)
        for place in 0..<4 {
            var numbers: [UInt64] = [0, 0, 0, 0]
            numbers[place] = 1
            #expect(!record(numbers).isUnused)
        }
        #expect(!record([0, 0, 0, 0], soft: true).isUnused)
    }

    @Test func aFileSystemWithoutProjectsSaysNo() throws {
        let directory = try FileDescriptor.open("/proc", O_RDONLY | O_DIRECTORY)
        #expect(!ProjectQuota(of: directory).isEnforced)
        #expect(throws: SystemError.self) { try ProjectQuota(of: directory).record(of: 1) }
        #expect(throws: SystemError.self) { try ProjectDirectory.make(1, .init(bytes: 1 << 20), in: directory) }
    }
}

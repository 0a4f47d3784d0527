import Glibc
import LinuxSystem
import Testing

@testable import SandpoolSandbox

/// What was promised, added up from the records of a file system; `scripts/vm/checks/quotas.sh` has real ones.
@Suite struct ProjectRoomTests {
    private typealias Record = ProjectQuota.Record

    private struct Verdict: Equatable {
        /// Why there is no room.
        var code: Int32?
        /// Records that were asked for.
        var asked: Int
    }

    private static func check(
        _ records: [Record], bytes: UInt64, inodes: UInt64, reserve: UInt64 = 0, from first: UInt32 = 1 << 30
    ) -> Verdict {
        var asked = 0
        let room = ProjectRoom(available: bytes, reserve: reserve, inodes: inodes)
        do throws(SystemError) {
            try room.check { (project) throws(SystemError) in
                asked += 1
                let index = Int(max(project, first) - first)
                return index < records.count ? (max(project, first), records[index]) : nil
            }
            return Verdict(code: nil, asked: asked)
        } catch { return Verdict(code: error.code, asked: asked) }
    }

    private static func record(_ bytes: UInt64, _ inodes: UInt64, of limit: (UInt64, UInt64)) -> Record {
        Record(bytes: bytes, inodes: inodes, byteLimit: limit.0, inodeLimit: limit.1)
    }

    private static let limit: (UInt64, UInt64) = (1_000, 10)

    @Test func roomIsForWhatIsStillToCome() {
        // ext4 may let a little more be written than it promised: extents that describe where the rest is.
        let full = Self.record(1_004, 10, of: Self.limit)
        // Of a project without limits nothing was promised.
        let free = Self.record(5_000, 50, of: (0, 0))
        let records = [Self.record(300, 4, of: Self.limit), full, Self.record(0, 0, of: Self.limit), free]
        #expect(Self.check(records, bytes: 1_700, inodes: 16) == Verdict(code: nil, asked: 5))
        #expect(Self.check(records, bytes: 1_699, inodes: 16).code == ENOSPC)
        #expect(Self.check(records, bytes: 1_700, inodes: 15).code == ENOSPC)
        #expect(Self.check(records, bytes: 1_800, inodes: 16, reserve: 100).code == nil)
        #expect(Self.check(records, bytes: 1_800, inodes: 16, reserve: 101).code == ENOSPC)
        #expect(Self.check([], bytes: 0, inodes: 0, reserve: 1) == Verdict(code: nil, asked: 1))
        // Those above Sandpool's are not asked for.
        #expect(Self.check(records, bytes: 0, inodes: 0, from: 1 << 31) == Verdict(code: nil, asked: 1))
    }

    @Test func promisesBeyondAllNumbersAreTooMuch() {
        let endless = Self.record(0, 0, of: (.max, 10))
        #expect(Self.check([endless, Self.record(0, 0, of: Self.limit)], bytes: .max, inodes: .max).code == ENOSPC)
        #expect(Self.check([endless, Self.record(1_000, 10, of: Self.limit)], bytes: .max, inodes: .max).code == nil)
    }

    @Test func nothingIsAskedForOnceItIsTooMuch() {
        let records = [Record](repeating: Self.record(0, 0, of: Self.limit), count: 1_000)
        #expect(Self.check(records, bytes: 2_999, inodes: 1_000) == Verdict(code: ENOSPC, asked: 3))
    }

    /// Files that strangers gave ids to have no limits, so they promise nothing; how many there are is theirs to say.
    @Test func recordsOfStrangersAreLookedAtUpToABound() {
        let most = ProjectRoom.mostRecords
        let strangers = [Record](repeating: Self.record(4_096, 1, of: (0, 0)), count: most + 1)
        #expect(Self.check(Array(strangers.prefix(most - 1)), bytes: 1, inodes: 1) == Verdict(code: nil, asked: most))
        #expect(Self.check(strangers, bytes: 1, inodes: 1) == Verdict(code: EUSERS, asked: most))
    }
}

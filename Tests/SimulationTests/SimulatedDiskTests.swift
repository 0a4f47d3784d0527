import SandpoolAPI
import SandpoolModel
import Testing

@testable import SandpoolTestSupport

/// The simulated disks forget what was not synced, and nothing else.
@Suite struct SimulatedDiskTests {
    private let attempt = AttemptID.make(at: Timestamp(milliseconds: 0))

    private func result() -> AttemptResult {
        AttemptResult(
            lease: AttemptLease(attempt: attempt, epoch: 1), outcome: Outcome(cause: .exited, exitCode: 0),
            evidence: Evidence(), startedAt: nil, finishedAt: Timestamp(milliseconds: 1))
    }

    private func piece(_ offset: Int64, _ count: Int64, from source: Int64? = nil) -> OutputPiece {
        OutputPiece(
            attempt: attempt, epoch: 1, stream: .stdout, offset: offset, count: count,
            source: OutputPiece.Source(sandbox: attempt, stream: .stdout, offset: source ?? offset))
    }

    private var stream: OutputDisk.Stream { OutputDisk.Stream(attempt: attempt, code: .stdout) }

    @Test func aSyncedResultOutlivesTheHostAndAnUnsyncedOneMayNot() {
        var kept = Set<Int>()
        for seed in 0..<50 {
            var chance = Chance(seed: UInt64(seed))
            var disk = WorkerDisk<String>()
            disk.append([.result(result())])
            disk.sync(lines: 1)
            disk.append([.settled(result().lease)])
            _ = disk.crash(&chance)
            kept.insert(disk.pending.count)
            #expect(disk.isDurable(result().lease))
        }
        #expect(kept == [0, 1])
    }

    @Test func aRecordOutlivesTheProcessAndMayBeLostWithTheHost() {
        var kept = Set<Int>()
        for seed in 0..<50 {
            var chance = Chance(seed: UInt64(seed))
            var disk = WorkerDisk<String>()
            disk.save("record", of: attempt)
            #expect(disk.savedRecords == ["record"])
            _ = disk.crash(&chance)
            kept.insert(disk.savedRecords.count)
        }
        #expect(kept == [0, 1])
    }

    @Test func outputIsPlacedByOffset() {
        var disk = OutputDisk()
        guard case .stored = disk.append(piece(0, 10)) else { return #expect(Bool(false)) }
        guard case .repeated = disk.append(piece(2, 8)) else { return #expect(Bool(false)) }
        guard case .gap(let end) = disk.append(piece(11, 1)) else { return #expect(Bool(false)) }
        #expect(end == 10)
        guard case .stored = disk.append(piece(5, 10)) else { return #expect(Bool(false)) }
        #expect(disk.end(stream) == 15)
        #expect(disk.firstWrong(stream, to: 15) == nil)
        #expect(disk.firstWrong(stream, to: 16) == 15)
    }

    @Test func bytesFromAnotherPlaceAreSeen() {
        var disk = OutputDisk()
        _ = disk.append(piece(0, 4))
        _ = disk.append(piece(4, 4, from: 5))
        #expect(disk.firstWrong(stream, to: 8) == 4)
    }

    @Test func aCrashKeepsWhatIsDurable() {
        var ends = Set<Int64>()
        for seed in 0..<200 {
            var chance = Chance(seed: UInt64(seed))
            var disk = OutputDisk()
            _ = disk.append(piece(0, 4))
            disk.endSync(stream, at: disk.beginSync(stream))
            _ = disk.append(piece(4, 4))
            _ = disk.crash(&chance)
            ends.insert(disk.end(stream))
            #expect(disk.durableEnd(stream) == 4)
            #expect(disk.firstWrong(stream, to: disk.end(stream)) == nil)
        }
        #expect(ends == [4, 5, 6, 7, 8])
    }
}

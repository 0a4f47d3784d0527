import Foundation
import NIOCore
import SandpoolModel
import Testing

@testable import SandpoolCoordinator

/// The index of when output arrived, and the lines that are stamped by it.
@Suite struct ArrivalTests {
    private let directory: TestDirectory
    private var path: String { directory.path + "/index" }
    private static let base: Int64 = 1_800_000_000_000

    init() throws { directory = try TestDirectory() }

    private static func at(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: base + milliseconds) }

    private func arrival(_ offset: Int64, _ milliseconds: Int64) -> Arrival {
        Arrival(offset: offset, at: Self.at(milliseconds))
    }

    private func records(end: Int64) throws -> ArrivalRecords {
        try ArrivalRecords(PosixFile(path: path, flags: O_RDONLY), end: end)
    }

    @Test func framesThatComeTogetherAreNotedOnce() throws {
        var index = try ArrivalIndex(path: path, end: 0)
        for (offset, moment) in [(0, 0), (5, 9), (6, 10), (7, 19), (9, 500), (20, 100), (30, 509), (31, 510)] {
            index.note(Int64(offset), at: Self.at(Int64(moment)))
        }
        let known = try records(end: 40).covering(0, to: 40)
        #expect(known == [arrival(0, 0), arrival(6, 10), arrival(9, 500), arrival(31, 510)])
    }

    @Test func looksUpByOffsetAndByMoment() throws {
        var index = try ArrivalIndex(path: path, end: 0)
        for number in 0..<1_000 { index.note(Int64(number * 10), at: Self.at(Int64(number * 100))) }
        let known = try records(end: 10_000)
        #expect(try known.covering(25, to: 31) == [arrival(20, 200), arrival(30, 300)])
        #expect(try known.covering(0, to: 1) == [arrival(0, 0)])
        #expect(try known.covering(9_995, to: 10_000) == [arrival(9_990, 99_900)])
        #expect(try known.covering(0, to: 10_000).count == 1_000)
        #expect(try known.first(since: Self.at(-1)) == arrival(0, 0))
        #expect(try known.first(since: Self.at(99_801)) == arrival(9_990, 99_900))
        #expect(try known.first(since: Self.at(99_901)) == nil)
    }

    @Test func isBoundedHoweverLongTheStream() throws {
        var index = try ArrivalIndex(path: path, end: 0)
        // A frame every 5 s, for two months.
        for number in 0..<Int64(1_000_000) { index.note(number, at: Self.at(number * 5_000)) }
        let known = try records(end: 1_000_000)
        let all = try known.covering(0, to: 1_000_000)
        #expect(all.count <= ArrivalIndex.limit)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? .max <= 1 << 20)
        let coarsest = zip(all, all.dropFirst()).map { $1.at.since($0.at) / $1.at.since(Self.at(0)) }
        #expect(coarsest.dropFirst(ArrivalIndex.limit / 16).allSatisfy { $0 < 0.001 })
        #expect(all.first == arrival(0, 0) && all[4_000] == arrival(4_000, 20_000_000))
    }

    @Test(arguments: [[UInt8](repeating: 0, count: 32), [1, 2, 3], [UInt8](repeating: 0xFF, count: 100)])
    func whatACrashLeftBehindIsCutOff(rest: [UInt8]) throws {
        var index = try ArrivalIndex(path: path, end: 0)
        index.note(0, at: Self.at(0))
        index.note(100, at: Self.at(100))
        let file = try PosixFile(path: path, flags: O_RDWR)
        try file.write(ByteBuffer(bytes: rest), at: 32)
        #expect(try records(end: 200).covering(0, to: 200) == [arrival(0, 0), arrival(100, 100)])
        // The stream itself lost what the second record is of.
        var again = try ArrivalIndex(path: path, end: 50)
        again.note(50, at: Self.at(1_000))
        #expect(try records(end: 60).covering(0, to: 60) == [arrival(0, 0), arrival(50, 1_000)])
    }

    @Test(arguments: [1, 2, 3, 7, 100])
    func eachLineIsStampedOnceWhereverPiecesEnd(piece: Int) throws {
        let text = "one\ntwo\n\nfour, without an end"
        let arrivals = [arrival(0, 0), arrival(6, 50), arrival(8, 100), arrival(12, 200)]
        var stamper = LineStamper()
        var stamped = ""
        for start in stride(from: 0, to: text.utf8.count, by: piece) {
            let bytes = ByteBuffer(bytes: Array(text.utf8)[start..<min(text.utf8.count, start + piece)])
            let known = arrivals.filter { $0.offset < start + piece }
            let first = known.lastIndex { $0.offset <= start } ?? 0
            stamped += String(buffer: stamper.stamp(bytes, from: Int64(start), Array(known[first...])))
        }
        let (zero, hundred) = ("\(Self.at(0)) ", "\(Self.at(100)) ")
        #expect(stamped == "\(zero)one\n\(zero)two\n\(hundred)\n\(hundred)four, without an end")
    }
}

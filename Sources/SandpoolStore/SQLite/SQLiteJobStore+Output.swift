import GRDB
import SandpoolModel

import struct Foundation.Data

extension SQLiteJobStore {
    public func recordDurableOutput(_ lengths: [DurableOutput]) async throws -> [Verdict] {
        try Bounds.check(count: lengths.count, of: "output lengths")
        return try await write { database in
            try lengths.map { try Self.grow($0, in: database) }
        }
    }

    public func output(of attempt: AttemptID) async throws -> AttemptOutput? {
        try await read { database in
            guard let row = try database.row(OutputSQL.attempt, [attempt.text]) else { return nil }
            let sequence = try row.decode(Int64.self, forColumn: "sequence")
            let lengths = try database.rows(OutputSQL.lengths, [sequence]).map {
                (try $0.word("stream") as OutputStream, try $0.decode(Int64.self, forColumn: "durable_bytes"))
            }
            return AttemptOutput(
                isComplete: try row.momentIfPresent("finished_at_ms") != nil,
                durable: Dictionary(uniqueKeysWithValues: lengths),
                tails: try database.rows(OutputSQL.tails, [sequence]).map(Self.tail))
        }
    }

    public func downloads(of job: JobID) async throws -> String? {
        try await read { try $0.row(OutputSQL.downloads, [job.text])?.decode(forColumn: "downloads") }
    }

    private static func grow(_ output: DurableOutput, in database: Database) throws -> Verdict {
        let fence: StatementArguments = [
            output.lease.attempt.text, output.lease.epoch, output.lease.worker.text,
        ]
        let grown = try database.change(OutputSQL.growLength, [output.stream.rawValue, output.length] + fence)
        if grown == 1 { return .recorded }
        return try database.row(OutputSQL.isLive, fence) == nil ? .fenced : .duplicate
    }

    private static func tail(from row: Row) throws -> InlineOutput {
        InlineOutput(
            stream: try row.word("stream"), offset: try row.decode(forColumn: "offset"),
            bytes: Array(try row.decode(Data.self, forColumn: "bytes")))
    }
}

import GRDB
import SandpoolModel

import struct Foundation.Data

extension SQLiteJobStore {
    public func output(of attempt: AttemptID) async throws -> AttemptOutput? {
        try await read { database in
            guard let row = try database.row(OutputSQL.attempt, [attempt.text]) else { return nil }
            let sequence = try row.decode(Int64.self, forColumn: "sequence")
            return AttemptOutput(
                isComplete: try row.momentIfPresent("finished_at_ms") != nil,
                tails: try database.rows(OutputSQL.tails, [sequence]).map(Self.tail))
        }
    }

    public func downloads(of job: JobID) async throws -> String? {
        try await read { try $0.row(OutputSQL.downloads, [job.text])?.decode(forColumn: "downloads") }
    }

    static func tail(from row: Row) throws -> InlineOutput {
        InlineOutput(
            stream: try row.word("stream"), offset: try row.decode(forColumn: "offset"),
            bytes: Array(try row.decode(Data.self, forColumn: "bytes")))
    }
}

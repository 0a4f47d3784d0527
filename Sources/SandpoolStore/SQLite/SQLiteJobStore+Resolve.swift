import GRDB
import SandpoolModel

extension SQLiteJobStore {
    public func resolve(_ reference: JobReference) async throws -> Resolution {
        try await read { database in
            switch reference {
            case .last: try Self.first(database.row(JobSQL.newest))
            case .id(let id): try Self.first(database.row(JobSQL.exists, [id.text]))
            case .named(let name, let suffix):
                if let row = try database.row(JobSQL.newestByName, [name]) {
                    .found(try row.identifier("id"))
                } else {
                    try suffix.map { try Self.resolution(ofSuffix: $0, in: database) } ?? .notFound
                }
            }
        }
    }

    private static func first(_ row: Row?) throws -> Resolution {
        try row.map { .found(try $0.identifier("id")) } ?? .notFound
    }

    private static func resolution(ofSuffix suffix: String, in database: Database) throws -> Resolution {
        let matches: [JobID] = try database.rows(JobSQL.bySuffix, [suffix, StoreLimits.ambiguousMatches])
            .map { try $0.identifier("id") }
        return Resolution(ofSuffixMatches: matches)
    }
}

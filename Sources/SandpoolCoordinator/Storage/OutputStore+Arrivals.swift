import Glibc
import SandpoolModel

/// When output arrived.
extension OutputStore {
    /// What is known of the bytes from `offset` to before `end`; the first record may begin before them.
    func arrivals(of stream: OutputStreamID, from offset: Int64, to end: Int64) async throws -> [Arrival] {
        try await records(of: stream) { try $0.covering(offset, to: end) } ?? []
    }

    /// The first record at or after a moment.
    func firstArrival(of stream: OutputStreamID, since moment: Timestamp) async throws -> Arrival? {
        try await records(of: stream) { try $0.first(since: moment) } ?? nil
    }

    private func records<Value: Sendable>(
        of stream: OutputStreamID, _ body: @escaping @Sendable (ArrivalRecords) throws -> Value
    ) async throws -> Value? {
        let (path, end) = (arrivalsPath(of: stream), try await end(of: stream))
        return try await pool.runIfActive {
            guard PosixFile.exists(path) else { return nil }
            return try body(try ArrivalRecords(PosixFile(path: path, flags: O_RDONLY), end: end))
        }
    }
}

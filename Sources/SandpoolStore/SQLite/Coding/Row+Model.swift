import GRDB
import SandpoolModel

/// Columns as values of the model. What the schema's CHECKs allow and the model does not know is damage.
extension Row {
    func identifier<Kind>(_ column: String) throws -> Identifier<Kind> {
        let text = try decode(String.self, forColumn: column)
        guard let identifier = Identifier<Kind>(text) else { throw unreadable(column, text) }
        return identifier
    }

    func word<Word: RawRepresentable>(_ column: String) throws -> Word where Word.RawValue == String {
        let text = try decode(String.self, forColumn: column)
        guard let word = Word(rawValue: text) else { throw unreadable(column, text) }
        return word
    }

    func wordIfPresent<Word: RawRepresentable>(_ column: String) throws -> Word? where Word.RawValue == String {
        guard try decode(String?.self, forColumn: column) != nil else { return nil }
        return try word(column) as Word
    }

    func moment(_ column: String) throws -> Timestamp {
        Timestamp(milliseconds: try decode(Int64.self, forColumn: column))
    }

    func momentIfPresent(_ column: String) throws -> Timestamp? {
        try decode(Int64?.self, forColumn: column).map(Timestamp.init(milliseconds:))
    }

    func json<Value: Decodable>(_ column: String) throws -> Value {
        try StoredJSON.decode(Value.self, from: try decode(String.self, forColumn: column))
    }

    func resources() throws -> Resources {
        Resources(
            cpuMillis: try decode(Int64.self, forColumn: "cpu_millis"),
            memoryBytes: try decode(Int64.self, forColumn: "memory_bytes"),
            diskBytes: try decode(Int64.self, forColumn: "disk_bytes"))
    }

    func retryCounts() throws -> RetryCounts {
        var counts = RetryCounts()
        counts.notStarted = try decode(forColumn: "not_started_count")
        counts.lostRunning = try decode(forColumn: "lost_running_count")
        counts.workersLost = try decode(forColumn: "workers_lost_count")
        counts.userFailures = try decode(forColumn: "user_failure_count")
        return counts
    }

    private func unreadable(_ column: String, _ text: String) -> StoreError {
        .corrupt("\(column) is \(text.prefix(64).debugDescription)")
    }
}

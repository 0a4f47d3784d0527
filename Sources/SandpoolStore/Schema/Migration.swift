/// One step of the schema. Steps are only ever appended.
struct Migration: Sendable {
    /// What `PRAGMA user_version` says after it; consecutive from 1.
    let version: Int
    let sql: String

    /// Every step, oldest first.
    static let all: [Migration] = [
        initialSchema, workerTokens, queueDemands, noOutputLengths, tokensOfWorkers,
        disksOfWorkers, endsOfJobs, lostFutures, troubleOfWorkers,
    ]
}

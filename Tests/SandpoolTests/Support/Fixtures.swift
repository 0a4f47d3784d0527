import SandpoolAPI
import SandpoolModel

extension Job {
    static func fixture(_ state: JobState = .succeeded, returnCode: Int? = 0) throws -> Job {
        Job(
            id: fixtureID, state: state, returnCode: returnCode, cause: .exited, command: ["true"],
            spec: JobSpec(command: ["true"]), createdAt: Timestamp(milliseconds: 1_700_000_000_000))
    }

    static let fixtureID = JobID.make(at: Timestamp(milliseconds: 1_700_000_000_000))

    var json: String { (try? WireJSON.text(self)) ?? "" }
}

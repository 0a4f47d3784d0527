import NIOCore
import SandpoolAPI
import SandpoolModel
import Testing

@testable import SandpoolCoordinator

/// A follower that had read of one attempt comes back while another one runs.
@Suite struct FollowerTests {
    private static let first = AttemptID.make(at: Timestamp(milliseconds: 1))
    private static let second = AttemptID.make(at: Timestamp(milliseconds: 2))
    private static let third = AttemptID.make(at: Timestamp(milliseconds: 3))

    private static func publish(_ text: String, at offset: Int64 = 0, to follower: Follower) {
        follower.publish(
            .stdout, offset: offset, ByteBuffer(string: text), at: Timestamp(milliseconds: 4))
    }

    /// What comes of it: texts, and `ATTEMPT[from..<to]` for what is to be read from the store.
    private static func items(of follower: Follower) async -> [String] {
        var said: [String] = []
        while let items = await follower.next() {
            for item in items {
                switch item {
                case .output(_, _, let bytes, _): said.append(String(buffer: bytes))
                case .catchUp(let attempt, let code, let offset, let end):
                    said.append("\(attempt == first ? 1 : attempt == second ? 2 : 3)[\(offset)..<\(end)]")
                    follower.caughtUp(code, to: end)
                default: break
                }
            }
        }
        return said
    }

    private static func end(_ follower: Follower) {
        follower.publish(.finished(JobID.make(at: Timestamp(milliseconds: 1))))
        follower.attached()
    }

    /// The end that was read before it was published is older.
    @Test func whatCameWhileItJoinedIsNotLost() async {
        let follower = Follower(stdout: 10, of: Self.first)
        Self.publish("12345", to: follower)
        follower.join(Self.second, stdout: 0, stderr: 0)
        Self.end(follower)
        #expect(await Self.items(of: follower) == ["2[0..<5]"])
    }

    @Test func whatReachesOverItsOffsetIsNoContinuation() async {
        let follower = Follower(stdout: 3, of: Self.first)
        Self.publish("abcdef", to: follower)
        follower.join(Self.second, stdout: 6, stderr: 0)
        Self.end(follower)
        #expect(await Self.items(of: follower) == ["2[0..<6]"])
    }

    @Test func theSameAttemptGoesOn() async {
        let follower = Follower(stdout: 3, of: Self.first)
        Self.publish("abcdef", to: follower)
        follower.join(Self.first, stdout: 6, stderr: 0)
        Self.publish("gh", at: 6, to: follower)
        Self.end(follower)
        #expect(await Self.items(of: follower) == ["1[3..<8]"])
    }

    /// What is known of the second one is not the third one's.
    @Test func anAttemptThatBeganMeanwhileStays() async {
        let follower = Follower(stdout: 3, of: Self.first)
        Self.publish("abcdef", to: follower)
        follower.begin(Self.third)
        follower.join(Self.second, stdout: 6, stderr: 0)
        Self.publish("xy", to: follower)
        Self.end(follower)
        #expect(await Self.items(of: follower) == ["xy"])
    }

    /// Of a job that waits, offsets are those of whichever attempt comes.
    @Test func offsetsOfNoAttemptHoldForTheFirst() async {
        let follower = Follower(stdout: 3)
        follower.attached()
        follower.begin(Self.first)
        Self.publish("abcdef", to: follower)
        Self.end(follower)
        #expect(await Self.items(of: follower) == ["def"])
    }
}

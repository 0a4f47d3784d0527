import NIOCore
import SandpoolAPI
import SandpoolModel

extension Pool {
    /// What a job wrote to a stream.
    ///
    /// - Parameters:
    ///   - offset: the first byte that is wanted.
    ///   - since: only what the coordinator got from this moment on, as `MomentText` reads it: so long ago, such as
    ///     `10m`, or RFC 3339.
    ///   - timestamps: put the moment when the coordinator got it before each line, RFC 3339 and a space.
    ///   - follow: go on until the job is finished, instead of ending where the stream now ends.
    public func output(
        of reference: String, _ stream: OutputStream, from offset: Int64 = 0, since: String? = nil,
        timestamps: Bool = false, follow: Bool = false
    ) -> OutputChunks {
        OutputChunks(
            http: http, job: reference, stream: stream, start: offset, since: since, isStamped: timestamps,
            follows: follow)
    }

    /// Whether the output that the coordinator keeps of an attempt that has ended is what its command wrote. It reads
    /// all of it for that.
    ///
    /// - Parameter attempt: which of the job's attempts, from 1 on; `nil` for the last one.
    public func verifyOutput(of reference: String, attempt: Int64? = nil) async throws -> OutputVerification {
        let query = attempt.map { "?attempt=\($0)" } ?? ""
        return try await http.get(Routes.job(Query.escape(reference)) + "/verification" + query)
    }

    /// Where the last `count` lines of a stream begin now. Reads the stream and keeps nothing of it but offsets.
    public func offset(ofLastLines count: Int, of reference: String, _ stream: OutputStream) async throws -> Int64 {
        var starts: [Int64] = [0]
        var position: Int64 = 0
        for try await bytes in output(of: reference, stream) {
            for byte in bytes.readableBytesView {
                position += 1
                if byte == UInt8(ascii: "\n") { starts.append(position) }
            }
            if starts.count > 2 * (count + 1) { starts.removeFirst(starts.count - count - 1) }
        }
        if starts.last == position { starts.removeLast() }
        return starts.isEmpty ? position : starts[max(0, starts.count - count)]
    }
}

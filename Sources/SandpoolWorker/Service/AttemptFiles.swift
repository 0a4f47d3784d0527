import SandpoolAPI

/// What this process has open of one attempt.
struct AttemptFiles {
    var stdout: SpoolFile?
    var stderr: SpoolFile?
    let stdoutDigest = SpoolDigest()
    let stderrDigest = SpoolDigest()
    var input = CommandInput()

    func spool(_ stream: OutputStreamCode) -> SpoolFile? { stream == .stdout ? stdout : stderr }

    func digest(_ stream: OutputStreamCode) -> SpoolDigest { stream == .stdout ? stdoutDigest : stderrDigest }

    /// The last bytes of a stream, in the form in which they ride inside a result.
    func tail(_ stream: OutputStreamCode, _ range: Range<Int64>?) throws -> OutputTail? {
        guard let range else { return nil }
        guard let spool = spool(stream) else { throw WorkerError("there is no spool") }
        let bytes = try spool.read(at: range.lowerBound, count: range.count)
        guard bytes.readableBytes == range.count else { throw WorkerError("a spool is shorter than was said") }
        digest(stream).note(bytes, at: range.lowerBound)
        return OutputTail(offset: range.lowerBound, bytes: bytes)
    }
}

import Glibc
import NIOCore
import SandpoolAPI
import SandpoolModel

/// The first second of a plain job, followed on one blocking connection in the calling thread.
///
/// Most of what `sandpool run -- true` costs is not the job but what a process starts and loads to follow any
/// job. This follows only one that is started at once and ends soon; whatever else happens, `JobStream` goes on
/// from the byte that was reached. It decides nothing by itself: every failure is told by the ordinary way.
package struct QuickRun {
    package enum Outcome {
        /// The command ended by itself, and there is nothing to tell but its code.
        case exited(Int32)
        case finished(Job)
        /// To be followed on, from these bytes.
        case unfinished(JobStream)
        /// Nothing was submitted.
        case declined
        /// The user did not want to wait for the coordinator's answer.
        case left
    }

    private let pool: Pool
    private let connection: QuickConnection
    private let signals: Int32
    /// Writes bytes to the stream's descriptor; `false` when it cannot do so at once.
    private let pass: (OutputStream, ByteBuffer) -> Bool
    private let answerPatienceMs: Int
    private var answer = ChunkedAnswer()
    private var frames = FrameDecoder()
    private var job: JobID?
    private var offsets: [OutputStream: Int64] = [:]
    private var attempt: AttemptID?

    /// From here on a job waits long enough for someone to be told about it.
    private static let patienceMs = 900
    /// As when a job is followed.
    package static let answerPatienceMs = Int(HTTPClient.streamPatience.nanoseconds / 1_000_000)
    /// As when a job is followed: the third interrupt leaves.
    private static let signalsToLeave = 3
    private static let recountMs = 200
    /// What a socket takes at once: a coordinator that refuses before it has read all cannot break the sending.
    private static let requestLimit = 64 << 10

    /// Submits `command` and follows it.
    ///
    /// - Parameters:
    ///   - signals: a pipe with one byte for each signal that came; with the first the job is handed on.
    ///   - answerPatienceMs: how long the coordinator may take to say that it has the job.
    ///   - pass: takes output, or says that it cannot take it at once.
    /// - Throws: `SandpoolError` where it is not known whether the job was submitted.
    package static func run(
        _ command: [String], image: String?, blockNetwork: Bool, in pool: Pool, signals: Int32,
        answerPatienceMs: Int = answerPatienceMs, pass: @escaping (OutputStream, ByteBuffer) -> Bool
    ) throws(SandpoolError) -> Outcome {
        guard let connection = QuickConnection(pool.endpoint),
            let request = request(command, image: image, blockNetwork: blockNetwork, pool)
        else { return .declined }
        var run = QuickRun(
            pool: pool, connection: connection, signals: signals, answerPatienceMs: answerPatienceMs, pass: pass)
        do {
            try connection.send(request)
            return try run.follow()
        } catch let error as SandpoolError {
            throw error
        } catch {
            if run.answer.status == nil || run.job == nil { throw .disconnected(pool.endpoint) }
            return run.unfinished()
        }
    }

    private init(
        pool: Pool, connection: QuickConnection, signals: Int32, answerPatienceMs: Int,
        pass: @escaping (OutputStream, ByteBuffer) -> Bool
    ) {
        self.pool = pool
        self.connection = connection
        self.signals = signals
        self.pass = pass
        self.answerPatienceMs = answerPatienceMs
    }

    /// Head and first frame of `POST /v1/run`; the body stays open, as `RunRequest` says.
    ///
    /// Written without generic algorithms: the first use of each in a process costs about 0.1 ms, in which the
    /// runtime looks for the conformances it needs.
    private static func request(_ command: [String], image: String?, blockNetwork: Bool, _ pool: Pool) -> [UInt8]? {
        var words = ""
        for word in command { words += words.isEmpty ? word.asJSON : "," + word.asJSON }
        var spec = "{\"command\":[\(words)],\"onDisconnect\":\"cancel\""
        if blockNetwork { spec += ",\"blockNetwork\":true" }
        if let image { spec += ",\"image\":\(image.asJSON)" }
        var frame = ByteBuffer()
        let message = Frame.json(ByteBuffer(string: "{\"submit\":{\"_0\":\(spec)}}}"))
        guard (try? message.encode(into: &frame)) != nil, frame.readableBytes <= requestLimit else { return nil }
        var head = "POST \(Routes.run) HTTP/1.1\r\nhost: \(pool.endpoint.hostHeader)\r\nconnection: close\r\n"
        if let token = pool.http.token { head += "authorization: Bearer \(token)\r\n" }
        head += "content-type: \(WorkerSession.contentType)\r\ntransfer-encoding: chunked\r\n\r\n"
        head += String(frame.readableBytes, radix: 16) + "\r\n"
        var bytes = Array(head.utf8)
        frame.withUnsafeReadableBytes { bytes.append(contentsOf: $0) }
        return bytes + [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
    }

    private mutating func follow() throws -> Outcome {
        let begin = Self.milliseconds()
        while true {
            switch try arrival(after: begin) {
            case .bytes(let bytes):
                let body = try answer.take(bytes)
                // A refusal; asking again in full tells it in full.
                if let status = answer.status, status != 200 { return .declined }
                frames.append(ByteBuffer(bytes: body))
                while let frame = try frames.next() {
                    if let outcome = try handle(frame) { return outcome }
                }
                if answer.hasEnded { throw QuickConnection.Lost() }
            case .other, .nothing:
                if job != nil { return unfinished() }
                if Self.pending(signals) >= Self.signalsToLeave { return .left }
                guard Self.milliseconds() < begin + answerPatienceMs else {
                    throw SandpoolError.silent(pool.endpoint, seconds: Int64(answerPatienceMs / 1_000))
                }
            }
        }
    }

    /// Until the id is there, nobody else can take over: a signal or the end of patience then changes nothing but
    /// how often the signals are counted.
    private func arrival(after begin: Int) throws -> QuickConnection.Arrival {
        let patienceMs = job == nil ? answerPatienceMs : Self.patienceMs
        if job != nil || Self.pending(signals) == 0 {
            return try connection.receive(beside: signals, for: max(0, begin + patienceMs - Self.milliseconds()))
        }
        return try connection.receive(beside: -1, for: Self.recountMs)
    }

    /// How many signals wait to be read.
    private static func pending(_ signals: Int32) -> Int32 {
        var count: Int32 = 0
        return ioctl(signals, UInt(FIONREAD), &count) == 0 ? count : 0
    }

    private mutating func handle(_ frame: Frame) throws -> Outcome? {
        switch frame {
        case .input: return nil
        case .output(let output):
            let stream = output.stream == .stdout ? OutputStream.stdout : .stderr
            guard output.offset == offsets[stream, default: 0], pass(stream, output.bytes) else { return unfinished() }
            offsets[stream] = output.offset + Int64(output.bytes.readableBytes)
            return nil
        case .json(let bytes):
            return try handle(JSONFields(Array(bytes.readableBytesView)), frame)
        }
    }

    private mutating func handle(_ event: JSONFields, _ frame: Frame) throws -> Outcome? {
        if let id = event["created", "id"] {
            job = JSONFields.text(id).flatMap { JobID($0) }
            return nil
        }
        if event["state", "_0"] != nil, event["state", "note"] == nil {
            return noteAttempt(JSONFields.text(event["state", "attempt"]).flatMap { AttemptID($0) })
        }
        if let end = event["finished", "_0"] {
            let fields = JSONFields(Array(end))
            if JSONFields.text(fields["cause"]) == Cause.exited.rawValue, fields["message"] == nil,
                let code = JSONFields.number(fields["returnCode"])
            {
                return .exited(code)
            }
        }
        switch try frame.message(as: RunEvent.self) {
        case .finished(let job): return .finished(job)
        case .failed(let error) where job == nil: throw SandpoolError(error)
        case .created, .state, .inputConsumed, .failed: return job == nil ? nil : unfinished()
        }
    }

    /// The output of an attempt that takes another one's place begins at 0.
    private mutating func noteAttempt(_ next: AttemptID?) -> Outcome? {
        guard let next, next != attempt else { return nil }
        defer { attempt = next }
        guard attempt != nil else { return nil }
        return unfinished()
    }

    private func unfinished() -> Outcome {
        guard let job else { return .declined }
        let position = JobPosition(
            job: job, attempt: attempt, stdout: offsets[.stdout] ?? 0, stderr: offsets[.stderr] ?? 0)
        return .unfinished(JobStream(pool, resuming: position))
    }

    private static func milliseconds() -> Int {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int(now.tv_sec) * 1_000 + Int(now.tv_nsec) / 1_000_000
    }
}

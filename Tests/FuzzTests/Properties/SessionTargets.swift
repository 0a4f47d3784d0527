import NIOCore
import SandpoolAPI
import SandpoolModel

/// What worker, coordinator and client send each other.
extension FuzzTarget {
    static let session = [
        FuzzTarget(
            "session-frames",
            sources: ["SandpoolAPI/Frames/FrameCodec.swift", "SandpoolAPI/Frames/FrameDecoder.swift"],
            seeds: FrameProperties.seeds
        ) { bytes in
            // The first byte says in pieces of which size the rest arrives.
            guard let piece = bytes.first else { return .refused }
            return FrameProperties.verdict(Array(bytes.dropFirst()), piece: Int(piece) + 1)
        },
        message("worker-message", WorkerMessage.self, sources: worker, seeds: MessageSamples.worker),
        message(
            "coordinator-message", CoordinatorMessage.self, sources: coordinator, seeds: MessageSamples.coordinator),
        message(
            "run-request", RunRequest.self,
            sources: ["SandpoolAPI/Session/RunMessages.swift", "SandpoolAPI/Session/RunRequest+Check.swift"],
            seeds: MessageSamples.runRequests),
        message(
            "exec-control", ExecControl.self, sources: ["SandpoolAPI/Session/ExecMessages+Check.swift"],
            seeds: MessageSamples.execControls),
    ]

    private static let worker = [
        "SandpoolAPI/Session/WorkerMessage+Check.swift", "SandpoolAPI/Session/OutputTail+Bytes.swift",
        "SandpoolAPI/Session/SessionMessage.swift", "SandpoolAPI/Session/ExecMessages+Check.swift",
    ]
    private static let coordinator = [
        "SandpoolAPI/Session/CoordinatorMessage+Check.swift", "SandpoolAPI/Session/OpeningVersion.swift",
        "SandpoolAPI/JSON/APIError+Decoding.swift",
    ]

    /// A target of a stream's messages: what is taken reads back, what is not is refused in one short line.
    private static func message<Message: SessionMessage & Hashable>(
        _ name: String, _ type: Message.Type, sources: [String], seeds: [String]
    ) -> FuzzTarget {
        FuzzTarget(
            name, sources: sources + ["SandpoolAPI/JSON/WireJSON.swift"], seeds: seeds.map { Array($0.utf8) },
            words: JSONWords.of(seeds)
        ) { bytes in
            let frame = Frame.json(ByteBuffer(bytes: bytes))
            do {
                let message = try frame.checkedMessage(as: type)
                let version = frame.openingVersion
                guard version == Frame.json(try WireJSON.encode(message)).openingVersion else {
                    return .broken("its version changes to \(version.debugDescription) when it is read")
                }
                if case .results(let results) = message as? WorkerMessage {
                    results.forEach { _ = $0.stdoutTail?.bytes }
                }
                guard try Frame.message(message).checkedMessage(as: type) == message else {
                    return .broken("\(message) does not read back")
                }
                return .accepted
            } catch {
                guard let error = error as? APIError else { return .broken("\(error) is no APIError") }
                return OneLine.violation(error.message, limit: 1_024).map(Verdict.broken) ?? .refused
            }
        }
    }
}

private enum FrameProperties {
    static let seeds: [[UInt8]] = {
        let lease: [Frame] = [
            .json(ByteBuffer(string: "{}")),
            .output(OutputFrame(id: "at-1", epoch: 7, stream: .stderr, offset: 5, bytes: ByteBuffer(string: "out"))),
            .input(InputFrame(id: "at-1", epoch: 7, offset: 0, isLast: true, bytes: ByteBuffer(string: "in"))),
        ]
        let streams = lease.map { [$0] } + [lease]
        return streams.map { frames in
            var buffer = ByteBuffer(bytes: [UInt8(frames.count * 3)])
            for frame in frames { try? frame.encode(into: &buffer) }
            return Array(buffer.readableBytesView)
        }
    }()

    static func verdict(_ bytes: [UInt8], piece: Int) -> FuzzTarget.Verdict {
        var (decoder, frames, failure) = (FrameDecoder(), [Frame](), FrameError?.none)
        var (place, pending) = (0, 0)
        do throws(FrameError) {
            while place < bytes.count {
                let end = min(bytes.count, place + piece)
                decoder.append(ByteBuffer(bytes: bytes[place..<end]))
                place = end
                while let frame = try decoder.next() { frames.append(frame) }
                pending = decoder.pendingBytes
            }
            try decoder.finish()
        } catch { failure = error }
        var written = ByteBuffer()
        for frame in frames where (try? frame.encode(into: &written)) == nil {
            return .broken("\(frame) was read and cannot be written")
        }
        guard bytes.starts(with: written.readableBytesView) else { return .broken("the frames are written as others") }
        switch failure {
        case nil:
            guard written.readableBytes == bytes.count else { return .broken("bytes were lost") }
            return .accepted
        case .truncated:
            guard written.readableBytes + pending == bytes.count else { return .broken("bytes were lost at the end") }
            return .refused
        case let error?:
            guard decoder.pendingBytes == 0 else { return .broken("bytes of a lost stream are kept") }
            return OneLine.violation("\(error)", limit: 256).map(FuzzTarget.Verdict.broken) ?? .refused
        }
    }
}

/// What an error has to look like, whatever it is about.
enum OneLine {
    static func violation(_ text: String, limit: Int) -> String? {
        guard text.utf8.count <= limit else { return "an error of \(text.utf8.count) bytes" }
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }) else {
            return "an error with a control character: \(text.debugDescription)"
        }
        return nil
    }
}

enum JSONWords {
    /// The strings in some JSON, with their quotes.
    static func of(_ seeds: [String]) -> [String] {
        let strings = seeds.flatMap { seed in
            seed.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
                .filter { !$0.offset.isMultiple(of: 2) }.map { "\"\($0.element)\"" }
        }
        return Set(strings).sorted() + [
            "null", "true", "false", "-1", "1e999", "9223372036854775807", "\\ud800", "\\u0000",
        ]
    }
}

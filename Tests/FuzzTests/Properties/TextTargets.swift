import SandpoolModel

@testable import SandpoolSandbox

/// What people write on command lines and in specs.
extension FuzzTarget {
    static let texts = [
        text("size", "Text/ByteSize", ["512MiB", "1.5GiB", "1000B", "7", "9223372036854775807", "8388607TiB"]) {
            text throws in
            let bytes = try ByteSize.parse(text)
            return bytes >= 0 && (try? ByteSize.parse(ByteSize.format(bytes))) == bytes && text.isASCII
        },
        text("duration", "Text/DurationText", ["1h30m", "500ms", "1.5", "2d", "36500d", "0.001s"]) { text throws in
            let duration = try DurationText.parse(text)
            return (.zero...DurationText.longest).contains(duration) && text.isASCII
                && (try? DurationText.parse(DurationText.format(duration))) == duration
        },
        text("moment", "Text/MomentText", ["10m", "2026-01-31T09:30:00.125Z", "2026-01-31T09:30:00+02:00"]) {
            text throws in
            let moment = try MomentText.parse(text, now: Timestamp(milliseconds: 1_732_320_000_123))
            // A time zone can lead out of the four digits of a year.
            let years: Range<Int64> = -62_167_219_200_000..<253_402_300_800_000
            return text.isASCII && (Timestamp(moment.description) == moment || !years.contains(moment.milliseconds))
        },
        FuzzTarget(
            "timestamp", sources: ["SandpoolModel/Values/Timestamp.swift"],
            seeds: ["2026-01-31T09:30:00.125Z", "0000-01-01T00:00:00.000Z"].map { Array($0.utf8) }
        ) { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            guard let moment = Timestamp(text) else { return .refused }
            return Array(moment.description.utf8) == bytes ? .accepted : .broken("\(text) is read as \(moment)")
        },
        text("reference", "Identity/Reference", ["@last", "sb-01jd8zzzzzzzzzzzzzzzzzzzzz", "job-1", "zzzz"]) {
            text throws in
            switch try JobReference(text) {
            case .last: Array(text.utf8) == Array("@last".utf8)
            case .id(let id): isIdentifierText(id.text) && text.isASCII
            case .named(let name, let suffix): name == text && text.isASCII && suffix.map(isIdentifierText) ?? true
            }
        },
        text(
            "image", "Job/ImageReference",
            [
                "host", "scratch", "mmdebstrap:bookworm", "im-01jd8zzzzzzzzzzzzzzzzzzzzz", "a.b:5000/c/d:latest",
                "docker.io/library/python:3.12@sha256:" + String(repeating: "0", count: 64),
            ]
        ) { text throws in
            _ = try ImageReference(text)
            return text.isASCII && !text.utf8.contains { $0 <= 0x20 }
        },
        text("network", "Network/CIDRBlock", ["192.0.2.0/24", "10.0.0.1", "0.0.0.0/0"]) { text throws in
            let block = try CIDRBlock(text)
            // The launcher reads it with a parser of its own, which has to see the same network.
            guard let network = IPv4Network(text) else { return false }
            return network.address == block.address && network.prefixLength == block.prefix
                && (try? CIDRBlock(block.description)) == block
        },
        text("domain", "Network/DomainPattern", ["example.org", "*.a-b.example.org.", "_tcp.x"]) { text throws in
            let pattern = try SandpoolModel.DomainPattern(text)
            guard let launchers = SandpoolSandbox.DomainPattern(text) else { return false }
            return launchers.text == pattern.description && text.isASCII
        },
        text("path", "Text/SandboxPath", ["/a/b/./c//", "/", "/proc/x", "/a/\u{301}b"]) { text throws in
            let path = try SandboxPath.normalize(text)
            let parts = path.utf8.split(separator: UInt8(ascii: "/"))
            guard path.utf8.first == UInt8(ascii: "/"), (try? SandboxPath.normalize(path)) == path,
                !parts.contains(where: { $0.elementsEqual("..".utf8) || $0.elementsEqual(".".utf8) })
            else { return false }
            // A place for files is one that the launcher takes too, and no kernel's.
            guard let place = try? SandboxPath.normalizeForFiles(text) else { return true }
            return !["proc", "sys", "dev"].contains { parts.first?.elementsEqual($0.utf8) == true }
                && PlanValidation.isPlainPath(place)
        },
        text("signal", "Text/SignalName", ["SIGTERM", "int", "64", "KILL"]) { text throws in
            SignalName.numbers.contains(try SignalName.parse(text)) && text.isASCII
        },
        text("label", "Text/Label", ["KEY=VALUE", "a/b=", "zone=é=x"]) { text throws in
            let label = try Label(parsing: text)
            return "\(label.key)=\(label.value)".utf8.elementsEqual(text.utf8) && label.key.isASCII
        },
        text("user", "Text/Names", ["root", "65535", "_apt"]) { text throws in
            try UserName.check(text)
            return text.isASCII
        },
    ]

    /// A target of a parser of text: what it takes is as `isRight` wants it, what it does not is refused in one line.
    private static func text(
        _ name: String, _ source: String, _ seeds: [String], isRight: @escaping @Sendable (String) throws -> Bool
    ) -> FuzzTarget {
        FuzzTarget(
            name, sources: ["SandpoolModel/\(source).swift"], seeds: seeds.map { Array($0.utf8) },
            words: NastyText.words + seeds
        ) { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            do {
                return try isRight(text) ? .accepted : .broken("\(text.debugDescription) is read as something else")
            } catch {
                return OneLine.violation("\(error)", limit: 768).map(Verdict.broken) ?? .refused
            }
        }
    }
}

/// Text that Swift compares, splits or folds otherwise than its bytes suggest.
enum NastyText {
    static let words = [
        "/\u{301}", ".\u{301}", "\u{301}", "/proc", "\u{212A}", "\u{17F}", "\u{131}", "\u{DF}", "\u{37E}", "\u{661}",
        "\u{FF11}",
        "\u{0}", "\u{1B}", "\u{202E}", "\r\n", "..", "/../", "%2e",
    ]
}

extension String {
    var isASCII: Bool { utf8.allSatisfy { $0 < 0x80 } }
}

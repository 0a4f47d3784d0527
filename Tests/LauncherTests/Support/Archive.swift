import Foundation
import LinuxSystem

/// Tar archives for tests, in the oldest form (ustar), so that a name can be anything.
enum Archive {
    static func make(_ files: [(name: String, content: String)], program: Data? = nil) throws -> FileDescriptor {
        var bytes: [UInt8] = []
        for file in files { bytes += entry(file.name, Array(file.content.utf8), mode: 0o644) }
        if let program { bytes += entry("bin/program", Array(program), mode: 0o755) }
        return try write(bytes)
    }

    /// Programs with the modes that they are to have, such as 0o4755.
    static func make(programs: [(name: String, bytes: [UInt8], mode: Int)]) throws -> FileDescriptor {
        try write(programs.flatMap { entry($0.name, $0.bytes, mode: $0.mode) })
    }

    static func makeLinked(link: String, to target: String, thenFile name: String) throws -> FileDescriptor {
        try write(entry(link, [], mode: 0o777, kind: "2", target: target) + entry(name, [1], mode: 0o644))
    }

    private static func write(_ bytes: [UInt8]) throws -> FileDescriptor {
        let file = try TemporaryFile()
        try file.descriptor.writeAll(bytes + [UInt8](repeating: 0, count: 1_024))
        return file.descriptor
    }

    private static func entry(
        _ name: String, _ content: [UInt8], mode: Int, kind: Character = "0", target: String = ""
    ) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
        }
        func octal(_ value: Int, _ width: Int) -> String {
            let digits = String(value, radix: 8)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        put(name, at: 0)
        put(octal(mode, 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        put(octal(content.count, 11), at: 124)
        put(octal(0, 11), at: 136)
        put("        ", at: 148)
        put(String(kind), at: 156)
        put(target, at: 157)
        put("ustar", at: 257)
        put("00", at: 263)
        put(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\0", at: 148)
        let padding = (512 - content.count % 512) % 512
        return header + content + [UInt8](repeating: 0, count: padding)
    }
}

/// A file without a name.
struct TemporaryFile {
    let descriptor: FileDescriptor

    init() throws {
        // Close-on-exec from the first moment: another test may be spawning its launcher.
        let unnamed: Int32 = 0x41_0000
        descriptor = try FileDescriptor.open("/tmp", O_RDWR | unnamed, mode: 0o600)
    }

    /// The content of one member of the archive in it.
    func archived(_ member: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/tar")
        process.arguments = ["-xO", "-f", "/proc/\(getpid())/fd/\(descriptor.raw)", member]
        let pipe = Foundation.Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}

extension LauncherClient {
    @discardableResult
    func importLayer(_ name: String, _ archive: FileDescriptor) throws -> UInt64 {
        try send(.importLayer(layer: name), [archive])
        let result: Result<UInt64, TestFailure> = try next { event, _ in
            switch event {
            case .layerReady(name, let bytes): return .success(bytes)
            case .layerFailed(name, let message): return .failure(TestFailure(message))
            default: return nil
            }
        }
        return try result.get()
    }

    func layers() throws -> [String] {
        try next { event, _ in
            if case .layers(let names) = event { return names }
            return nil
        }
    }
}

import Foundation
import LinuxSystem
import SandpoolProbes

/// Tar archives for tests.
enum Archive {
    static func make(_ files: [(name: String, content: String)], program: Data? = nil) throws -> FileDescriptor {
        var entries = files.map { TarEntry($0.name, Array($0.content.utf8), mode: 0o644) }
        if let program { entries.append(TarEntry("bin/program", Array(program), mode: 0o755)) }
        return try make(entries)
    }

    static func make(_ entries: [TarEntry]) throws -> FileDescriptor {
        let file = try TemporaryFile()
        try file.descriptor.writeAll(TarEntry.archive(entries))
        return file.descriptor
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

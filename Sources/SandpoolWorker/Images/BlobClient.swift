import AsyncHTTPClient
import Crypto
import Glibc
import LinuxSystem
import NIOCore
import SandpoolAPI

/// Blobs from and to the coordinator.
struct BlobClient: Sendable {
    let client: CoordinatorClient
    /// Where a blob lies, without a name, until the launcher has unpacked it.
    let directory: String

    private static let answerTimeout = TimeAmount.minutes(1)
    /// Bound on one blob; the coordinator's own is lower.
    private static let sizeLimit: Int64 = 64 << 30
    private static let chunkBytes = 256 << 10

    /// Whether a text is `sha256:` and 64 lower-case hexadecimal digits.
    static func isDigest(_ text: String) -> Bool {
        let prefix = "sha256:"
        return text.hasPrefix(prefix) && text.utf8.count == prefix.utf8.count + 64
            && text.dropFirst(prefix.count).utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }

    /// Downloads a blob and checks that it is what its digest says.
    ///
    /// - Returns: the file, open at its start; it is gone when the last descriptor is.
    func fetch(_ digest: String) async throws -> FileDescriptor {
        let file = try NamelessFile.make(in: directory)
        let response = try await client.send(
            client.request(.GET, "\(Routes.workerBlobs)/\(digest)"), timeout: Self.answerTimeout)
        var hash = SHA256()
        var received: Int64 = 0
        for try await chunk in response.body {
            received += Int64(chunk.readableBytes)
            guard received <= Self.sizeLimit else {
                throw WorkerError("blob \(digest) is larger than \(Self.sizeLimit) bytes")
            }
            chunk.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
            try file.writeAll(Array(chunk.readableBytesView))
        }
        let found = "sha256:" + hash.finalize().hexadecimal
        guard found == digest else { throw WorkerError("blob \(digest) arrived as \(found)") }
        try systemCall("lseek") { lseek(file.raw, 0, SEEK_SET) }
        return file
    }

    /// Uploads a file.
    ///
    /// - Returns: its digest.
    func upload(_ path: String) async throws -> String {
        let file = try FileDescriptor.open(path, O_RDONLY | O_NOFOLLOW)
        var status = stat()
        try systemCall("fstat \(path)") { fstat(file.raw, &status) }
        var request = client.request(.POST, Routes.workerBlobs)
        request.headers.add(name: "content-type", value: "application/octet-stream")
        let chunks = FileChunks(file: SpoolFile(file: file), size: Int64(status.st_size), chunkBytes: Self.chunkBytes)
        request.body = .stream(chunks, length: .known(Int64(status.st_size)))
        let response = try await client.send(request, timeout: .hours(1))
        let body = try await response.body.collect(upTo: 64 << 10)
        return try WireJSON.decode(BlobInfo.self, from: body).digest
    }
}

/// A file's bytes in pieces.
private struct FileChunks: AsyncSequence, Sendable {
    let file: SpoolFile
    let size: Int64
    let chunkBytes: Int

    struct Iterator: AsyncIteratorProtocol {
        let chunks: FileChunks
        var offset: Int64 = 0

        mutating func next() async throws -> ByteBuffer? {
            let count = Swift.min(Int64(chunks.chunkBytes), chunks.size - offset)
            guard count > 0 else { return nil }
            let bytes = try chunks.file.read(at: offset, count: Int(count))
            offset += count
            return bytes
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(chunks: self) }
}

/// A file that vanishes with its last descriptor.
enum NamelessFile {
    static func make(in directory: String) throws(SystemError) -> FileDescriptor {
        // mkstemp(3) wants six of them at the end.
        var template = Array("\(directory)/new-\(String(repeating: "X", count: 6))".utf8CString)
        let raw = try systemCall("mkstemp in \(directory)") { mkstemp(&template) }
        let file = FileDescriptor(owning: raw)
        unlink(template)
        // mkstemp(3) knows no close-on-exec.
        try systemCall("fcntl F_SETFD") { fcntl(raw, F_SETFD, FD_CLOEXEC) }
        return file
    }
}

extension Sequence where Element == UInt8 {
    /// Two lower-case digits a byte.
    var hexadecimal: String {
        reduce(into: "") { text, byte in
            let digits = String(byte, radix: 16)
            text += digits.count == 1 ? "0" + digits : digits
        }
    }
}

import Glibc
import LinuxSystem
import SandpoolAPI

/// The layers that the launcher holds for this worker: each made once, the longest unused removed when they
/// are too many.
///
/// Size and time of use of a layer are in a small file of its name, so that they outlive this process.
actor LayerStore {
    private struct Layer {
        var bytes: Int64
        var usedAt: Int64
    }

    private let directory: String
    private let limitBytes: Int64
    private let use: LayerUse
    private let importer: any LayerImporter
    private var layers: [String: Layer] = [:]
    /// Layers that are being made; whoever wants the same one waits for it.
    private var underWay: [String: Task<Void, any Error>] = [:]

    init(
        directory: String, limitBytes: Int64, present: [String], use: LayerUse, core importer: any LayerImporter
    ) {
        self.directory = directory
        self.limitBytes = limitBytes
        self.use = use
        self.importer = importer
        for name in present {
            var status = stat()
            let known = stat("\(directory)/\(name)", &status) == 0
            let text = known ? (try? Self.text("\(directory)/\(name)")) : nil
            layers[name] = Layer(
                bytes: text.flatMap { Int64($0) } ?? 0, usedAt: known ? Int64(status.st_mtim.tv_sec) : 0)
        }
        let present = Set(present)
        for name in (try? DirectoryListing.names(in: directory)) ?? [] where !present.contains(name) {
            unlink("\(directory)/\(name)")
        }
    }

    var names: [String] { layers.keys.sorted() }

    /// Makes sure that the launcher has a layer. The caller has counted it in `LayerUse` before.
    ///
    /// - Parameter archive: makes the tar archive, open at its start; called at most once at a time for a layer.
    func ensure(_ name: String, archive: @escaping @Sendable () async throws -> FileDescriptor) async throws {
        if layers[name] != nil { return touch(name) }
        if let task = underWay[name] { return try await task.value }
        let task = Task { [importer] in
            let file = try await archive()
            let bytes = try await importer.importLayer(name, from: file)
            self.add(name, bytes: Int64(clamping: bytes))
        }
        underWay[name] = task
        defer { underWay[name] = nil }
        try await task.value
    }

    private func add(_ name: String, bytes: Int64) {
        layers[name] = Layer(bytes: bytes, usedAt: 0)
        if let file = try? FileDescriptor.open("\(directory)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600) {
            try? file.writeAll(Array("\(bytes)".utf8))
        }
        touch(name)
        removeUnused()
    }

    private func touch(_ name: String) {
        layers[name]?.usedAt = SystemClock.now().milliseconds / 1_000
        utimensat(AT_FDCWD, "\(directory)/\(name)", nil, 0)
    }

    private func removeUnused() {
        var total = layers.values.reduce(0) { $0 + $1.bytes }
        for (name, layer) in layers.sorted(by: { $0.value.usedAt < $1.value.usedAt })
        where total > limitBytes && !use.isUsed(name) {
            layers[name] = nil
            total -= layer.bytes
            unlink("\(directory)/\(name)")
            Task { [importer] in await importer.removeLayer(name) }
        }
    }

    private static func text(_ path: String) throws -> String {
        String(decoding: try FileDescriptor.open(path, O_RDONLY).readAll(limit: 64), as: UTF8.self)
    }
}

/// What unpacks layers: the launcher, through the core.
protocol LayerImporter: Sendable {
    /// - Returns: the layer's size in bytes.
    func importLayer(_ layer: String, from archive: FileDescriptor) async throws -> UInt64
    func removeLayer(_ layer: String) async
}

extension WorkerCore: LayerImporter {}

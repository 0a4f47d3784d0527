import Foundation

/// The project's own Swift sources, read as text.
struct SourceTree {
    struct File {
        /// Path below the project's root, such as `Sources/SandpoolModel/Job/Job.swift`.
        let path: String
        let lines: [Substring]

        /// The target's folder, such as `SandpoolModel`.
        var target: String { String(path.split(separator: "/")[1]) }
    }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func files(below folder: String, endings: Set<String> = ["swift"]) throws -> [File] {
        let base = root.appendingPathComponent(folder)
        guard let walk = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil) else { return [] }
        return try walk.compactMap { $0 as? URL }
            .filter { endings.contains($0.pathExtension) }
            .map { url in
                let text = try String(contentsOf: url, encoding: .utf8)
                let path = url.path.dropFirst(root.path.count + 1)
                return File(path: String(path), lines: text.split(separator: "\n", omittingEmptySubsequences: false))
            }
            .sorted { $0.path < $1.path }
    }
}

import Foundation

/// The programs under test, as the build left them beside the test bundle.
enum Programs {
    static let directory: URL = {
        let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let candidates = [bundle, SourceRoot.url.appendingPathComponent(".build/debug")]
        let files = FileManager.default
        return candidates.first { files.isExecutableFile(atPath: $0.appendingPathComponent("sandpool").path) }
            ?? SourceRoot.url.appendingPathComponent(".build/debug")
    }()
    static var sandpool: String { directory.appendingPathComponent("sandpool").path }
}

enum SourceRoot {
    static let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static var fixtures: URL { url.appendingPathComponent("Tests/AcceptanceTests/Fixtures") }
}

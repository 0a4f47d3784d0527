import Testing

/// Each layer imports only layers above it (Docs/architecture.md). `Package.swift` states the same; this
/// test also catches an import that works by accident because another target pulled the module in.
@Suite struct LayerTests {
    static let allowed: [String: Set<String>] = [
        "CLinux": [],
        "SandpoolModel": [],
        "LinuxSystem": ["CLinux"],
        "SandpoolStore": ["SandpoolModel"],
        "SandpoolImage": ["SandpoolModel", "LinuxSystem", "CLinux"],
        "SandpoolSandbox": ["CLinux", "LinuxSystem"],
        "SandpoolProbes": ["CLinux", "LinuxSystem"],
        "SandpoolAPI": ["SandpoolModel"],
        "Sandpool": ["SandpoolModel", "SandpoolAPI"],
        "SandpoolCoordinator": ["SandpoolModel", "SandpoolStore", "SandpoolAPI"],
        "SandpoolWorker": [
            "CLinux", "LinuxSystem", "SandpoolModel", "SandpoolSandbox", "SandpoolProbes", "SandpoolImage",
            "SandpoolAPI",
        ],
        "SandpoolCommands": [
            "CLinux", "LinuxSystem", "Sandpool", "SandpoolAPI", "SandpoolCoordinator", "SandpoolModel",
            "SandpoolWorker",
        ],
        "SandpoolTestSupport": [
            "SandpoolModel", "SandpoolStore", "SandpoolAPI", "SandpoolSandbox", "SandpoolCoordinator", "SandpoolWorker",
            "LinuxSystem",
        ],
        "sandpool": ["SandpoolCommands"],
        "sandpool-launcher": ["CLinux", "LinuxSystem", "SandpoolSandbox"],
        "sandpool-probe": ["SandpoolProbes"],
    ]

    @Test func noTargetImportsALayerBelow() throws {
        let ours = Set(Self.allowed.keys)
        for file in try SourceTree.files(below: "Sources") {
            let allowed = try #require(Self.allowed[file.target], "\(file.target) has no layer in this table")
            for line in file.lines {
                guard let module = importedModule(line), ours.contains(module), module != file.target else { continue }
                #expect(allowed.contains(module), "\(file.path) imports \(module)")
            }
        }
    }

    /// The launcher has one thread: nothing in it may bring in a library that starts others.
    @Test(arguments: [
        "LinuxSystem", "SandpoolSandbox", "SandpoolProbes", "sandpool-launcher", "sandpool-probe", "SandpoolModel",
    ])
    func noFoundationAndNoConcurrency(target: String) throws {
        let forbidden: Set<String> = ["Foundation", "FoundationEssentials", "Dispatch", "_Concurrency", "NIOCore"]
        for file in try SourceTree.files(below: "Sources/\(target)") {
            for line in file.lines {
                guard let module = importedModule(line) else { continue }
                #expect(!forbidden.contains(module), "\(file.path) imports \(module)")
            }
        }
    }

    private func importedModule(_ line: Substring) -> String? {
        var words = line.split(separator: " ")[...]
        let access: Set<Substring> = ["public", "private", "internal", "package"]
        while let first = words.first, first.hasPrefix("@") || access.contains(first) {
            words = words.dropFirst()
        }
        guard words.first == "import", words.count >= 2 else { return nil }
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
        let name = kinds.contains(words[words.startIndex + 1]) ? words.dropFirst(2).first : words.dropFirst().first
        return name.map { String($0.split(separator: ".")[0]) }
    }
}

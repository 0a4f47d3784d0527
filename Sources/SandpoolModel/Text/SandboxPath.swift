/// Absolute paths inside a sandbox.
public enum SandboxPath {
    /// In bytes, as the launcher bounds it: what is laid before a path has to fit into the kernel's 4,095 as well
    /// (limits.h: PATH_MAX).
    public static let longest = 4_000
    /// In bytes (limits.h: NAME_MAX).
    public static let longestComponent = 255

    /// File systems that every sandbox gets for itself: nothing can be laid into them or kept from them.
    private static let reserved = ["/proc", "/sys", "/dev"]

    /// The path without empty and `.` components: `/a//b/./` is `/a/b`.
    ///
    /// - Throws: for a path that is relative, too long, or has NUL or `..` in it. What symbolic links make of it is
    ///   settled inside the sandbox, by `openat2` with RESOLVE_IN_ROOT.
    public static func normalize(_ path: String) throws(ValueProblem) -> String {
        let problem = ValueProblem(
            path, isNot: "an absolute path in the sandbox",
            hint: "begin it with '/', without '..', in at most \(longest) bytes")
        guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count <= longest, !path.hasNUL else { throw problem }
        // Split as bytes: "/" with a combining mark behind it is another character, and still a separator.
        let components = path.utf8.split(separator: UInt8(ascii: "/"))
        var kept: [String] = []
        for component in components {
            let name = String(decoding: component, as: UTF8.self)
            guard name != "..", component.count <= longestComponent else { throw problem }
            if name != "." { kept.append(name) }
        }
        return "/" + kept.joined(separator: "/")
    }

    /// As `normalize`, for a place where files are laid or taken from: not `/`, nor in `/proc`, `/sys` or `/dev`.
    public static func normalizeForFiles(_ path: String) throws(ValueProblem) -> String {
        let normal = try normalize(path)
        if normal == "/" {
            throw ValueProblem(path, isNot: "a place for files", hint: "it is the whole root; choose a path below it")
        }
        // As bytes, for the reason given above.
        if let place = reserved.first(where: { normal == $0 || normal.utf8.starts(with: ($0 + "/").utf8) }) {
            throw ValueProblem(
                path, isNot: "a place for files", hint: "\(place) is the sandbox's own; choose another path")
        }
        return normal
    }
}

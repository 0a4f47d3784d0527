import Glibc

/// One thing that this host has or lacks.
struct HostCheck: Codable, Hashable {
    var name: String
    var isPresent: Bool
    /// Whether local mode cannot run without it.
    var isRequired: Bool
    /// What was found.
    var detail: String
    /// What to do where it is missing.
    var fix: String?

    private enum CodingKeys: String, CodingKey {
        case name, detail, fix
        case isPresent = "ok"
        case isRequired = "required"
    }

    init(_ name: String, _ isPresent: Bool, isRequired: Bool = true, _ detail: String, fix: String) {
        self.name = name
        self.isPresent = isPresent
        self.isRequired = isRequired
        self.detail = detail
        self.fix = isPresent ? nil : fix
    }

    /// One line for people.
    var text: String {
        let mark = isPresent ? "ok" : isRequired ? "MISSING" : "missing"
        return mark.padded(to: 9) + name.padded(to: 22) + detail
            + (fix.map { "\n" + "".padded(to: 31) + "fix: \($0)" } ?? "")
    }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}

/// Small reads of `/proc` and `/sys`.
enum HostFile {
    /// A file's text, at most 64 KiB of it; `nil` where there is none.
    static func text(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return Descriptor.readOnce(descriptor, limit: 64 << 10).map { String(decoding: $0, as: UTF8.self) }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The path itself, or the directory above it that is there.
    static func nearest(to path: String) -> String {
        var place = path
        while !exists(place), let slash = place.lastIndex(of: "/"), slash != place.startIndex {
            place = String(place[..<slash])
        }
        return place
    }

    /// The number that a file of `/proc/sys` holds.
    static func number(_ path: String) -> Int? {
        text(path).flatMap { Int($0.split(whereSeparator: \.isWhitespace).first ?? "") }
    }

    /// Where a program is, looked up as a shell would; administrators' directories are always searched.
    static func program(_ name: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        return (path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"])
            .map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }
}

/// The launcher's command line.
public struct LauncherOptions: Equatable, Sendable {
    public enum Mode: Equatable, Sendable {
        /// Listen on a Unix socket; sandboxes outlive the worker's connection.
        case socket(path: String, peer: Peer?, exitWhenIdleSeconds: UInt64?)
        /// Serve one connected socket; its end is the end of every sandbox and of the launcher.
        case connected(descriptor: Int32)
        /// Measure: run `count` sandboxes of `true`, `parallel` at once, and print the rate. Their price without one
        /// mechanism is what that one costs; no other mode can leave any out.
        case floor(count: Int, parallel: Int, without: Mechanism?)
    }

    /// Who may connect, beside root.
    public enum Peer: Equatable, Sendable {
        case user(UInt32)
        /// As in `/etc/passwd` of the host.
        case named(String)
    }

    public var dataDirectory: String
    public var mode: Mode
    /// Mount overlays as before Linux 6.8, whatever this kernel can: what a test of the old way needs.
    public var hasOldOverlays: Bool

    /// Where this program was when it was first started; its copy in memory is told (`SealedProgram`).
    public var program: String?
    /// The descriptor of what the program before in this process hands over.
    public var state: Int32?

    /// Followed by a descriptor alone: says by its exit code whether that state is one to go on with. Why not is the
    /// one line of its errors.
    static let stateTrial = "--try-state"
    /// Alone on the command line: says by its exit code whether an ordinary user gets what sandboxes take.
    static let trial = "--try-namespace"
    /// Alone on the command line: the same of an open network; what it lacks is the one line of its output.
    static let networkTrial = "--try-network"

    public static let usage =
        "usage: sandpool-launcher --data-dir DIR "
        + "(--socket PATH [--peer-uid UID | --peer-user NAME] [--exit-when-idle SECONDS]"
        + " | --connected-fd FD | --floor N --parallel P [--without MECHANISM]) [--overlays old]"

    public init(_ arguments: [String]) throws(OptionError) {
        var values: [String: String] = [:]
        var rest = arguments[...]
        while let name = rest.popFirst() {
            guard Self.names.contains(name) else { throw OptionError("unknown argument \(name)") }
            guard let value = rest.popFirst() else { throw OptionError("\(name) needs a value") }
            guard values.updateValue(value, forKey: name) == nil else { throw OptionError("\(name) is given twice") }
        }
        func number<Value: FixedWidthInteger>(_ name: String, in range: ClosedRange<Value>) throws(OptionError)
            -> Value?
        {
            guard let text = values[name] else { return nil }
            guard let value = Value(text), range.contains(value) else {
                throw OptionError("\(name) \(text) is not a number from \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }
        guard let directory = values["--data-dir"], directory.hasPrefix("/") else {
            throw OptionError("--data-dir with an absolute path is needed")
        }
        dataDirectory = directory
        if let overlays = values["--overlays"], overlays != "old" {
            throw OptionError("--overlays \(overlays) is not old; leave it out")
        }
        hasOldOverlays = values["--overlays"] != nil
        program = values[Self.programName]
        state = try number(Self.stateName, in: 3...Int32.max)
        let descriptor: Int32? = try number("--connected-fd", in: 3...1_023)
        let count: Int? = try number("--floor", in: 1...10_000_000)
        var peer: Peer?
        if let user: UInt32 = try number("--peer-uid", in: 0...UInt32.max - 1) { peer = .user(user) }
        if let name = values["--peer-user"] {
            guard peer == nil else { throw OptionError("--peer-uid and --peer-user are given both") }
            peer = .named(name)
        }
        switch (values["--socket"], descriptor, count) {
        case (let path?, nil, nil):
            mode = .socket(
                path: path, peer: peer,
                exitWhenIdleSeconds: try number("--exit-when-idle", in: 0...1_000_000_000))
        case (nil, let descriptor?, nil): mode = .connected(descriptor: descriptor)
        case (nil, nil, let count?):
            let parallel = try number("--parallel", in: 1...1_000) ?? 1
            mode = .floor(count: count, parallel: parallel, without: try Self.mechanism(values["--without"]))
        default: throw OptionError("exactly one of --socket, --connected-fd and --floor is needed")
        }
        if state != nil {
            guard case .socket = mode else { throw OptionError("\(Self.stateName) goes with --socket") }
        }
        if count == nil, values["--without"] != nil {
            throw OptionError("--without only measures: it goes with --floor")
        }
    }

    private static func mechanism(_ name: String?) throws(OptionError) -> Mechanism? {
        guard let name else { return nil }
        guard let mechanism = Mechanism(rawValue: name) else {
            let known = Mechanism.allCases.map(\.rawValue).joined(separator: ", ")
            throw OptionError("--without \(name) is none of \(known)")
        }
        return mechanism
    }

    static let programName = "--program"
    static let stateName = "--state-fd"

    private static let names: Set<String> = [
        programName, stateName,
        "--data-dir", "--socket", "--peer-uid", "--peer-user", "--exit-when-idle", "--connected-fd", "--floor",
        "--parallel", "--without", "--overlays",
    ]
}

/// A command line that cannot be used.
public struct OptionError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

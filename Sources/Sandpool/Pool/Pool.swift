import FoundationEssentials
import Glibc
import NIOCore
import SandpoolAPI
import SandpoolModel

/// A pool of sandboxes: where its coordinator is and the right to use it. Everything else starts here.
///
/// ```swift
/// let pool = try Pool.fromEnvironment()
/// let sandbox = try await Sandbox.create("cd /repo && pytest .", blockNetwork: true, in: pool)
/// ```
public struct Pool: Sendable {
    public let endpoint: Endpoint
    let http: HTTPClient

    /// - Parameter token: the bearer token; a coordinator without one answers nothing but `/health`.
    public init(endpoint: Endpoint, token: String?) {
        self.endpoint = endpoint
        http = HTTPClient(connector: Connector(endpoint: endpoint), token: token)
    }

    /// The pool that `SANDPOOL_URL` (default `http://127.0.0.1:7420`) and `SANDPOOL_TOKEN` or
    /// `SANDPOOL_TOKEN_FILE` name.
    ///
    /// - Parameter variable: the value of an environment variable; by default this process's own.
    public static func fromEnvironment(_ variable: (String) -> String? = Self.variable) throws -> Pool {
        let url = variable("SANDPOOL_URL").flatMap { $0.isEmpty ? nil : $0 }
        let endpoint = try Endpoint(url: url ?? "http://127.0.0.1:\(Endpoint.defaultPort)")
        return Pool(endpoint: endpoint, token: try token(from: variable))
    }

    /// A variable of this process's environment (getenv(3)), without a copy of all the others.
    public static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// The token that an environment names; `nil` where it names none.
    public static func token(from variable: (String) -> String?) throws -> String? {
        if let token = variable("SANDPOOL_TOKEN"), !token.isEmpty { return try checked(token, "SANDPOOL_TOKEN") }
        guard let path = variable("SANDPOOL_TOKEN_FILE"), !path.isEmpty else { return nil }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw SandpoolError(
                code: "invalid_token", message: "SANDPOOL_TOKEN_FILE: cannot read \(path)",
                hint: "check the path and its permissions")
        }
        return try checked(text.trimmingWhitespace(), path)
    }

    /// A line break or a control character in a token would end the header that carries it.
    private static func checked(_ token: String, _ source: String) throws -> String {
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw SandpoolError(
                code: "invalid_token", message: "the token in \(source) is empty or holds characters no token has",
                hint: "copy it again, such as from DATA_DIR/admin.token")
        }
        return token
    }

    /// Whether a coordinator answers here.
    public func isHealthy() async -> Bool {
        (try? await http.request(.GET, Routes.health)) != nil
    }
}

extension String {
    func trimmingWhitespace() -> String {
        var rest = Substring(self)
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}

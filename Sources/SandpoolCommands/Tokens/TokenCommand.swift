import ArgumentParser
import Sandpool
import SandpoolAPI
import SandpoolModel

/// `sandpool token`: who may use the pool, and for what.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Make, list and revoke tokens.",
        discussion: "Example: sandpool token create --role submit ci",
        subcommands: [CreateTokenCommand.self, ListTokens.self, RevokeToken.self])
}

/// `sandpool token create`.
struct CreateTokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a token and print its secret, which is shown this once.",
        discussion: """
            Roles: admin does everything, submit runs and reads jobs, read only reads, worker is for a worker.
            With --worker it is the next token of one that is enrolled: restart that worker with it, then revoke the
            one before. What runs there goes on.

            Example: sandpool token create --role worker build-3 > worker.token
            """)

    @OptionGroup var connection: ConnectionOptions
    @Option(help: .init("What it may do: admin, submit, read or worker.", valueName: "role"))
    var role: TokenRole
    @Option(help: .init("The worker whose next token it is: its id or its name.", valueName: "worker"))
    var worker: String?
    @Flag(help: "Print the token and its secret as JSON.")
    var json = false
    @Argument(help: "A name to know it by.")
    var name: String

    func run() async throws {
        try await connection.withPool(for: .reading) { pool in
            let created = try await pool.createToken(name: name, role: role, worker: worker)
            try StandardOutput.line(json ? try JSONText.pretty(created) : created.secret)
        }
    }
}

/// `sandpool token ls`.
struct ListTokens: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List the tokens, without their secrets.",
        discussion: "Example: sandpool token ls")

    @OptionGroup var connection: ConnectionOptions
    @Flag(help: "Print one JSON object a line.")
    var json = false

    func run() async throws {
        try await connection.withPool(for: .reading) { pool in
            let tokens = try await pool.tokens()
            if json {
                for token in tokens { try StandardOutput.line(JSONText.line(token)) }
                return
            }
            var table = Table("ID", "NAME", "ROLE", "CREATED", "REVOKED")
            for token in tokens {
                table.add(
                    token.id.text, token.name, token.role.rawValue, token.createdAt.description,
                    token.revokedAt?.description)
            }
            try StandardOutput.line(table.text)
        }
    }
}

/// `sandpool token revoke`.
struct RevokeToken: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Revoke a token; what is connected with it is cut within a second.",
        discussion: "Example: sandpool token revoke tk-01jd8m3x5c0qz7v4r9w2y6k1ab")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The token's id, as token ls prints it.")
    var id: String

    func run() async throws {
        try await connection.withPool(for: .reading) { pool in try await pool.revokeToken(id) }
    }
}

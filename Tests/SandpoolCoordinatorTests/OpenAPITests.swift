import Foundation
import HTTPTypes
import SandpoolAPI
import Testing

@testable import SandpoolCoordinator

/// Holds `Docs/openapi.yaml` against the routes that the server answers.
@Suite struct OpenAPITests {
    /// Method and path of every operation, read from the document's two fixed levels of indentation.
    private static func operations() throws -> [(method: String, path: String)] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("Docs/openapi.yaml"), encoding: .utf8)
        var path = ""
        var operations: [(method: String, path: String)] = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("  /"), line.hasSuffix(":") {
                path = String(line.dropFirst(2).dropLast())
            } else if line.hasPrefix("    "), !line.hasPrefix("     "), line.hasSuffix(":"), !path.isEmpty {
                let method = line.trimmingCharacters(in: .whitespaces).dropLast()
                if ["get", "post", "delete", "head"].contains(method) { operations.append((String(method), path)) }
            }
        }
        return operations
    }

    @Test func everyDocumentedOperationIsAnswered() throws {
        let operations = try Self.operations()
        #expect(operations.count == 32)
        for operation in operations {
            let method = try #require(HTTPRequest.Method(rawValue: operation.method.uppercased()))
            let path = operation.path.replacing("{stream}", with: "stdout").replacing(/\{[a-z]+\}/, with: "x")
            #expect(throws: Never.self, "\(operation)") { try Route(method: method, path: path) }
        }
    }

    @Test(arguments: [
        ("GET", "/health"), ("GET", Routes.jobs), ("POST", Routes.jobs), ("POST", Routes.run),
        ("POST", Routes.blobs), ("GET", Routes.workers), ("GET", Routes.tokens), ("POST", Routes.tokens),
        ("POST", Routes.prune),
        ("POST", Routes.workerSession), ("POST", Routes.workerBlobs),
    ])
    func everyRouteIsDocumented(method: String, path: String) throws {
        let documented = try Self.operations().contains { $0.method.uppercased() == method && $0.path == path }
        #expect(documented)
    }
}

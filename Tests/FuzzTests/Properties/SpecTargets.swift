import SandpoolAPI
import SandpoolModel

@testable import SandpoolSandbox

/// A job as users send it.
extension FuzzTarget {
    static let specs = [
        FuzzTarget(
            "job-spec",
            sources: [
                "SandpoolModel/Job/JobSpec+Codable.swift", "SandpoolModel/Job/JobSpec+Validate.swift",
                "SandpoolModel/Job/JobSpec+ValidateLimits.swift", "SandpoolModel/Job/Mount.swift",
                "SandpoolModel/Coding/StrictKeys.swift", "SandpoolModel/Job/SpecProblem.swift",
            ],
            seeds: MessageSamples.specs.map { Array($0.utf8) },
            words: JSONWords.of(MessageSamples.specs) + NastyText.words
        ) { bytes in
            verdict {
                let spec = try WireJSON.decode(JobSpec.self, from: bytes)
                guard try WireJSON.decode(JobSpec.self, from: WireJSON.encode(spec)) == spec else {
                    return .broken("\(spec) does not read back")
                }
                let accepted = try PoolConfiguration().accept(spec)
                _ = accepted.fingerprint
                return SpecProperties.violation(accepted).map(Verdict.broken) ?? .accepted
            }
        },
        FuzzTarget(
            "exec-spec",
            sources: ["SandpoolModel/Job/ExecSpec.swift", "SandpoolModel/Job/JobSpec+Validate.swift"],
            seeds: MessageSamples.execs.map { Array($0.utf8) },
            words: JSONWords.of(MessageSamples.execs) + NastyText.words
        ) { bytes in
            verdict {
                let spec = try WireJSON.decode(ExecSpec.self, from: bytes)
                guard try WireJSON.decode(ExecSpec.self, from: WireJSON.encode(spec)) == spec else {
                    return .broken("\(spec) does not read back")
                }
                try spec.validate(limits: PoolLimits())
                return SpecProperties.violation(spec).map(Verdict.broken) ?? .accepted
            }
        },
    ]

    private static func verdict(_ check: () throws -> Verdict) -> Verdict {
        do {
            return try check()
        } catch let error as APIError {
            return OneLine.violation(error.message, limit: 1_024).map(Verdict.broken) ?? .refused
        } catch let problem as SpecProblem {
            return OneLine.violation(problem.description, limit: 2_048).map(Verdict.broken) ?? .refused
        } catch {
            return .broken("\(error) is neither an APIError nor a SpecProblem")
        }
    }
}

/// What the launcher can rely on in a spec that was accepted, looked at byte by byte as the kernel will.
private enum SpecProperties {
    static func violation(_ spec: ExecSpec) -> String? {
        let variables = spec.environment.flatMap { [$0.key, $0.value] }
        let texts = spec.command + variables + [spec.user, spec.workingDirectory].compactMap(\.self)
        if let text = texts.first(where: { $0.utf8.contains(0) }) { return "\(text.debugDescription) was accepted" }
        if spec.environment.keys.contains(where: { $0.utf8.contains(UInt8(ascii: "=")) }) {
            return "a variable with = in its name was accepted"
        }
        guard spec.workingDirectory?.utf8.first ?? UInt8(ascii: "/") == UInt8(ascii: "/"), spec.command.first != ""
        else { return "\(spec) was accepted" }
        return nil
    }

    static func violation(_ spec: JobSpec) -> String? {
        for path in spec.mounts.map(\.path) + spec.downloads {
            let parts = Array(path.utf8).split(separator: UInt8(ascii: "/"))
            guard path.utf8.first == UInt8(ascii: "/"), !path.utf8.contains(0),
                !parts.contains(where: { $0.elementsEqual("..".utf8) })
            else { return "the path \(path.debugDescription) was accepted" }
            let reserved = ["proc", "sys", "dev"].contains { parts.first?.elementsEqual($0.utf8) == true }
            if reserved { return "the reserved path \(path.debugDescription) was accepted" }
        }
        // A restriction that the launcher reads otherwise, or not at all, would be one that does not hold.
        for text in spec.network.allowCIDRs where IPv4Network(text) == nil { return "the launcher cannot read \(text)" }
        for text in spec.network.allowDomains where SandpoolSandbox.DomainPattern(text) == nil {
            return "the launcher cannot read \(text.debugDescription)"
        }
        return nil
    }
}

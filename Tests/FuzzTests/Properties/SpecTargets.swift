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
            do {
                let spec = try WireJSON.decode(JobSpec.self, from: bytes)
                guard try WireJSON.decode(JobSpec.self, from: WireJSON.encode(spec)) == spec else {
                    return .broken("\(spec) does not read back")
                }
                let accepted = try PoolConfiguration().accept(spec)
                _ = accepted.fingerprint
                return SpecProperties.violation(accepted).map(Verdict.broken) ?? .accepted
            } catch let error as APIError {
                return OneLine.violation(error.message, limit: 1_024).map(Verdict.broken) ?? .refused
            } catch let problem as SpecProblem {
                return OneLine.violation(problem.description, limit: 2_048).map(Verdict.broken) ?? .refused
            } catch {
                return .broken("\(error) is neither an APIError nor a SpecProblem")
            }
        }
    ]
}

/// What the launcher can rely on in a spec that was accepted, looked at byte by byte as the kernel will.
private enum SpecProperties {
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

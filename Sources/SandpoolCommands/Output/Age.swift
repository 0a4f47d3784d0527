import FoundationEssentials
import SandpoolModel

/// Times as a listing shows them.
enum Age {
    static func now() -> Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
    }

    /// How long ago, in its largest unit: `5s`, `12m`, `3h`, `9d`.
    static func text(since moment: Timestamp, now: Timestamp) -> String {
        let seconds = max(0, now.since(moment).wholeMilliseconds / 1_000)
        return switch seconds {
        case ..<60: "\(seconds)s"
        case ..<3_600: "\(seconds / 60)m"
        case ..<86_400: "\(seconds / 3_600)h"
        default: "\(seconds / 86_400)d"
        }
    }
}

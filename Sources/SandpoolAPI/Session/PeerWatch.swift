import Glibc
import NIOCore

/// How each end of a TCP connection finds out that the other one is gone without a word, as after a power cut: a stream
/// may be silent for as long as a command is, and the kernel asks after 2 h unless told otherwise (tcp(7)).
///
/// TCP_USER_TIMEOUT would find it out with bytes under way, too. But it also ends a connection whose reader is there
/// and has its window shut for that long (tcp_probe_timer() in net/ipv4/tcp_timer.c, tried on 6.18), as a reader of
/// output may. Such bytes are repeated for `tcp_retries2`, a quarter of an hour.
public enum PeerWatch {
    /// Seconds of silence before the first question.
    public static let idleSeconds: SocketOptionValue = 15
    private static let intervalSeconds: SocketOptionValue = 5
    private static let questions: SocketOptionValue = 3

    /// Has the kernel ask from now on; without effect where the connection is not TCP. One that cannot be watched ends.
    public static func begin(_ channel: any Channel) {
        switch channel.localAddress {
        case .v4, .v6: break
        case .unixDomainSocket, nil: return
        }
        let level = SocketOptionLevel(IPPROTO_TCP)
        let options: [(ChannelOptions.Types.SocketOption, SocketOptionValue)] = [
            (.socketOption(.so_keepalive), 1),
            (.socket(level, TCP_KEEPIDLE), idleSeconds),
            (.socket(level, TCP_KEEPINTVL), intervalSeconds),
            (.socket(level, TCP_KEEPCNT), questions),
        ]
        for (option, value) in options {
            channel.setOption(option, value: value).whenFailure { _ in channel.close(promise: nil) }
        }
    }
}

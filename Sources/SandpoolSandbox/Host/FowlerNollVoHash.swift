import Glibc
import LinuxSystem

/// FNV-1a in 64 bits: names states of this host. No protection against somebody who wants a collision, and
/// none is needed: only root writes what goes in.
struct FowlerNollVoHash {
    private(set) var number: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func combine(_ text: String) { combine(bytes: Array(text.utf8) + [0]) }

    mutating func combine(bytes: some Sequence<UInt8>) {
        for byte in bytes { number = (number ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    /// Size and time of change of a file or directory.
    mutating func combineState(of path: String, in directory: FileDescriptor) {
        var state = stat()
        guard fstatat(directory.raw, path, &state, 0) == 0 else { return combine("\(path) is not there") }
        combine("\(path) \(state.st_size) \(state.st_mtim.tv_sec) \(state.st_mtim.tv_nsec)")
    }

    var text: String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

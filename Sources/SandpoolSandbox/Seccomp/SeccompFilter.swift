import CLinux
import LinuxSystem

/// A classic BPF program over `struct seccomp_data` (seccomp(2)), installed in the command's process.
struct SeccompFilter {
    let program: [sock_filter]

    func install() throws(SystemError) {
        try systemCall("seccomp") { CLinux_seccomp_set_filter(program, UInt16(program.count)) }
    }
}

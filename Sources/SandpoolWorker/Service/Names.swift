import LinuxSystem
import SandpoolModel

/// Which of two imported types of the same name this module means: NIOCore has a protocol `FileDescriptor`,
/// LinuxSystem a `Mount` of the kernel's kind.
typealias FileDescriptor = LinuxSystem.FileDescriptor
typealias Mount = SandpoolModel.Mount

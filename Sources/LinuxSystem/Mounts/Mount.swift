import CLinux
import Glibc

/// Attributes of a mount (mount_setattr(2)).
public struct MountAttributes: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let readOnly = MountAttributes(rawValue: 0x1)
    public static let noSetUID = MountAttributes(rawValue: 0x2)
    public static let noDevices = MountAttributes(rawValue: 0x4)
    public static let noExecution = MountAttributes(rawValue: 0x8)
}

/// A mount held by a descriptor (fsopen(2), open_tree(2)). One that was never attached goes away with it.
public struct Mount: Sendable {
    public let descriptor: FileDescriptor

    /// One that another process made and passed on.
    public init(descriptor: FileDescriptor) { self.descriptor = descriptor }

    /// A file system of its own. An option with an empty value is a flag. The kernel's own words for a
    /// refused option are in the context's log, which is part of the error.
    public static func make(
        _ type: String, source: String = "sandpool", _ options: [(String, String)], attributes: MountAttributes
    ) throws(SystemError) -> Mount {
        let context = FileDescriptor(owning: try systemCall("fsopen \(type)") { CLinux_fsopen(type) })
        func configure(_ command: UInt32, _ key: String?, _ value: String?) throws(SystemError) {
            if CLinux_fsconfig(context.raw, command, key, value, 0) != 0 {
                let code = errno
                throw SystemError("mount \(type) \(key ?? "")\(log(of: context))", code: code)
            }
        }
        let setFlag: UInt32 = 0
        let setString: UInt32 = 1
        let create: UInt32 = 6
        try configure(setString, "source", source)
        for (key, value) in options {
            if value.isEmpty { try configure(setFlag, key, nil) } else { try configure(setString, key, value) }
        }
        try configure(create, nil, nil)
        return Mount(
            descriptor: FileDescriptor(
                owning: try systemCall("fsmount \(type)") { CLinux_fsmount(context.raw, attributes.rawValue) }))
    }

    /// A detached copy of the mount at `name`, or of a directory in one, as a bind mount makes it.
    public static func copy(
        of directory: Int32, _ name: String = "", recursive: Bool = false
    ) throws(SystemError) -> Mount {
        let clone: UInt32 = 1
        let closeOnExec: UInt32 = UInt32(O_CLOEXEC)
        let flags = clone | closeOnExec | emptyPath | (recursive ? 0x8000 : 0)
        return Mount(
            descriptor: FileDescriptor(
                owning: try systemCall("open_tree \(name)") { CLinux_open_tree(directory, name, flags) }))
    }

    /// Shows the files with ids mapped by a user namespace; only on a mount that was never attached.
    public func setAttributes(_ attributes: MountAttributes, idMap: FileDescriptor? = nil) throws(SystemError) {
        let mapped: UInt64 = idMap == nil ? 0 : 0x10_0000
        try systemCall("mount_setattr") {
            CLinux_mount_setattr(
                descriptor.raw, "", emptyPath, UInt64(attributes.rawValue) | mapped, 0, 0, idMap?.raw ?? -1)
        }
    }

    /// Attaches it below `directory`, or at the directory itself when `name` is empty.
    public func attach(to directory: Int32, _ name: String = "") throws(SystemError) {
        let fromEmpty: UInt32 = 0x4
        let toEmpty: UInt32 = 0x40
        try systemCall("move_mount \(name)") {
            CLinux_move_mount(
                descriptor.raw, "", directory, name, fromEmpty | (name.isEmpty ? toEmpty : 0))
        }
    }

    /// Mounts a file system at a path the old way, with all options in one text of at most a page: mount(2).
    public static func attach(
        _ type: String, source: String = "sandpool", _ options: String, at path: String, attributes: MountAttributes
    ) throws(SystemError) {
        // The first four bits mean the same in both interfaces: MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC.
        let flags = UInt(attributes.rawValue & 0xf)
        try systemCall("mount \(type)") { mount(source, path, type, flags, options) }
    }

    /// Takes the mount at `path` out of the tree at once; it ends when nothing uses it.
    public static func detach(_ path: String) throws(SystemError) {
        try systemCall("umount \(path)") { umount2(path, Int32(MNT_DETACH) | Int32(UMOUNT_NOFOLLOW)) }
    }

    /// Keeps what is mounted here from ever reaching another mount namespace, and the other way round.
    public static func makePrivate(_ path: String) throws(SystemError) {
        let flags = UInt(MS_PRIVATE) | UInt(MS_REC)
        try systemCall("mount --make-rprivate \(path)") { mount(nil, path, nil, flags, nil) }
    }

    private static func log(of context: FileDescriptor) -> String {
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = buffer.withUnsafeMutableBytes { Glibc.read(context.raw, $0.baseAddress, $0.count) }
        guard count > 0 else { return "" }
        return " (" + String(decoding: buffer[..<count].filter { $0 >= 0x20 }, as: UTF8.self) + ")"
    }
}

private let emptyPath: UInt32 = 0x1000

import CLinux
import Glibc
import LinuxSystem

/// Makes the sandbox's tree out of the prepared mounts and leaves the host's behind.
enum SandboxMounts {
    static func enter(_ birth: SandboxBirth) throws(StageError) {
        let root = birth.root.descriptor
        try stage("overlay") { () throws(SystemError) in
            try birth.root.attach(to: FileDescriptor.currentDirectory, MountWorkshop.rootPoint)
        }
        for attachment in birth.attachments where attachment.place == .own {
            try attach(attachment, in: root)
        }
        try stage("mount /proc") { () throws(SystemError) in
            try birth.processFiles.mount(in: root, masked: birth.composition.has(.processMasks))
        }
        try stage("mount /dev/pts") { () throws(SystemError) in
            // The group `tty`, where the sandbox has that id.
            let group = birth.ids.count > 5 ? [("gid", "5")] : []
            let terminals = try Mount.make(
                "devpts", source: "devpts", [("ptmxmode", "0666"), ("mode", "0620"), ("max", "256")] + group,
                attributes: [.noSetUID, .noExecution])
            try attach(terminals, at: "dev/pts", in: root)
        }
        for attachment in birth.attachments where attachment.place != .own {
            try attach(attachment, in: root)
        }
        try stage("pivot_root") { () throws(SystemError) in
            try systemCall("fchdir") { fchdir(root.raw) }
            try systemCall("pivot_root") { CLinux_pivot_root(".", ".") }
            // The old root is now mounted over the new one at ".".
            try Mount.detach(".")
            try systemCall("chdir /") { chdir("/") }
        }
    }

    private static func attach(_ attachment: Attachment, in root: FileDescriptor) throws(StageError) {
        let name = "mount /\(attachment.path)"
        if attachment.place == .own {
            return try stage(name) { () throws(SystemError) in
                try attach(attachment.mount, at: attachment.path, in: root)
            }
        }
        let place = try stage(name, kind: SandboxFailure.Kind.ofImage) { () throws(SystemError) in
            let root = attachment.base.isEmpty ? root : try root.openInRoot(attachment.base, O_PATH | O_DIRECTORY)
            return attachment.place == .file
                ? try RootedPath.makeFile(attachment.path, in: root)
                : try RootedPath.makeDirectory(attachment.path, in: root)
        }
        try stage(name) { () throws(SystemError) in try attachment.mount.attach(to: place.raw) }
    }

    private static func attach(_ mount: Mount, at path: String, in root: FileDescriptor) throws(SystemError) {
        let place = try root.openInRoot(path, O_PATH | O_NOFOLLOW)
        try mount.attach(to: place.raw)
    }
}

import Glibc
import LinuxSystem

/// Overlays of any number of layers, on every kernel from 6.1 on.
///
/// The value of one option of fsconfig(2) is at most 255 bytes. Linux 6.8 takes layers one by one (`lowerdir+`);
/// before it, a longer list goes through mount(2), whose options together are at most a page.
final class OverlayMounts {
    /// Whether the kernel takes layers one by one.
    private let takesOneByOne: Bool
    private let run: FileDescriptor
    /// Of every overlay.
    private let options: [(String, String)]
    /// Where mount(2) needs a place for a moment; relative, as all paths of overlays, to `run`.
    private static let point = "overlay"
    private static let valueLimit = 255
    private static let pageLimit = 4_095

    /// Tries it once. `isOld` acts as if the kernel had refused.
    init(run: FileDescriptor, _ options: [(String, String)], isOld: Bool) throws(SystemError) {
        self.run = run
        self.options = options
        for name in [Self.point, "\(Self.point)/a", "\(Self.point)/b"] { try run.makeDirectory(name, mode: 0o700) }
        let layers = ["a", "b"].map { ("lowerdir+", "\(Self.point)/\($0)") }
        takesOneByOne = !isOld && (try? Mount.make("overlay", layers + options, attributes: [])) != nil
    }

    /// - Parameter lowers: paths below `run`, topmost first, without anything that an option could not carry.
    func make(
        _ lowers: [String], _ options: [(String, String)], attributes: MountAttributes
    ) throws(SystemError) -> Mount {
        let options = self.options + options
        let joined = lowers.joined(separator: ":")
        if joined.utf8.count <= Self.valueLimit {
            return try Mount.make("overlay", [("lowerdir", joined)] + options, attributes: attributes)
        }
        if takesOneByOne {
            return try Mount.make("overlay", lowers.map { ("lowerdir+", $0) } + options, attributes: attributes)
        }
        let words = ([("lowerdir", joined)] + options).map { $1.isEmpty ? $0 : "\($0)=\($1)" }
        let text = words.joined(separator: ",")
        guard text.utf8.count <= Self.pageLimit else { throw SystemError("mount overlay", code: E2BIG) }
        try Mount.attach("overlay", text, at: Self.point, attributes: attributes)
        defer { try? Mount.detach(Self.point) }
        return try Mount.copy(of: run.raw, Self.point)
    }
}

/// The calling process's place in each cgroup hierarchy: `/proc/self/cgroup` joined with
/// `/proc/self/mountinfo` (cgroups(7)).
struct CgroupMembership: Equatable {
    /// Version 1 hierarchies by controller, each with the directory of the process's own cgroup.
    var controllers: [String: String] = [:]
    /// The directory of its own cgroup in the version 2 tree, and that tree's mount point.
    var unified: String?
    var unifiedMount: String?

    private struct Mount {
        /// Which cgroup of the hierarchy is mounted: in a container, often not its root.
        var root: String
        var point: String

        /// The directory of a cgroup; nil when it is outside of what is mounted.
        func directory(of path: String) -> String? {
            if path == root { return point }
            let prefix = root == "/" ? root : root + "/"
            guard path.hasPrefix(prefix), !path.hasPrefix("/..") else { return nil }
            return point + "/" + path.dropFirst(prefix.count)
        }
    }

    init(cgroup: String, mountInfo: String) {
        var mounts: [String: Mount] = [:]
        var unifiedTree: Mount?
        for line in mountInfo.split(separator: "\n") {
            // The fourth field is the mount's root, the fifth its point; after " - ": type, source, options.
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 3, dash >= 6 else { continue }
            let type = fields[dash + 1]
            let mount = Mount(root: String(fields[3]), point: String(fields[4]))
            if type == "cgroup2" {
                unifiedTree = unifiedTree ?? mount
            } else if type == "cgroup" {
                for option in fields[dash + 3].split(separator: ",") where mounts[String(option)] == nil {
                    mounts[String(option)] = mount
                }
            }
        }
        unifiedMount = unifiedTree?.point
        for line in cgroup.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let path = String(fields[2])
            if fields[0] == "0" {
                unified = unifiedTree?.directory(of: path)
            } else {
                for controller in fields[1].split(separator: ",") {
                    controllers[String(controller)] = mounts[String(controller)]?.directory(of: path)
                }
            }
        }
    }
}

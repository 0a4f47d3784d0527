/// The calling process's place in each cgroup hierarchy: `/proc/self/cgroup` joined with
/// `/proc/self/mountinfo` (cgroups(7)).
struct CgroupMembership: Equatable {
    /// Version 1 hierarchies by controller, each with the directory of the process's own cgroup.
    var controllers: [String: String] = [:]
    /// The directory of its own cgroup in the version 2 tree, and that tree's mount point.
    var unified: String?
    var unifiedMount: String?

    init(cgroup: String, mountInfo: String) {
        var mounts: [String: String] = [:]
        for line in mountInfo.split(separator: "\n") {
            // Fields before " - " end with the mount point as the fifth; after it: type, source, options.
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 3, dash >= 6 else { continue }
            let type = fields[dash + 1]
            let point = String(fields[4])
            if type == "cgroup2" {
                unifiedMount = unifiedMount ?? point
            } else if type == "cgroup" {
                for option in fields[dash + 3].split(separator: ",") where mounts[String(option)] == nil {
                    mounts[String(option)] = point
                }
            }
        }
        for line in cgroup.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let path = fields[2] == "/" ? "" : String(fields[2])
            if fields[0] == "0" {
                unified = unifiedMount.map { $0 + path }
            } else {
                for controller in fields[1].split(separator: ",") {
                    controllers[String(controller)] = mounts[String(controller)].map { $0 + path }
                }
            }
        }
    }
}

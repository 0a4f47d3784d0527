/// Which ids of the launcher's own user namespace sandboxes have as their 0 and following.
enum IdSpace: Equatable {
    /// A range for each slot, and mounts that show files with the ids of a range: root of the host has both.
    case ranges
    /// The first `count` of the launcher's own for every sandbox: an ordinary user has one range, and may not map
    /// mounts, since that takes rights over the file system itself (mount_setattr(2)). 0 is the user himself.
    case shared(count: UInt32)

    /// How many ids a sandbox has.
    var count: UInt32 {
        switch self {
        case .ranges: IdMap.count
        case .shared(let count): count
        }
    }

    func base(slot: UInt32) -> UInt32 {
        switch self {
        case .ranges: IdMap.base(slot: slot)
        case .shared: 0
        }
    }

    /// A sandbox's `uid_map` and `gid_map`. A line of it may not reach over two lines of the launcher's own, where the
    /// user himself and his subordinate ids are one each (user_namespaces(7), "Defining user and group ID mappings").
    func map(base: UInt32) -> String {
        switch self {
        case .ranges: IdMap.text(base: base)
        case .shared(1): "0 0 1\n"
        case .shared(let count): "0 0 1\n1 1 \(count - 1)\n"
        }
    }

    /// Who maps himself alone had to give up setgroups(2) for it (user_namespaces(7)).
    var setsGroups: Bool { count > 1 }

    /// In place of the list of groups, where it can be changed.
    func groups(_ list: [UInt32]) -> [UInt32]? { setsGroups ? list : nil }
}

/// How big an ext4 file system has to be for a sandbox to find just the room that it was promised.
///
/// What ext4 needs for itself comes on top of it.
struct DiskGeometry: Equatable {
    static let blockBytes: UInt64 = 4_096
    static let inodeBytes: UInt64 = 256
    /// About as many as ext4 makes by itself: one for each 16 KiB.
    private static let bytesPerInode: UInt64 = 16_384
    /// What a shell needs at least.
    private static let fewestInodes: UInt64 = 4_096
    /// An inode table is made in advance: this many take 4 GiB.
    private static let mostInodes: UInt64 = 16 << 20
    private static let blocksPerGroup: UInt64 = 32_768
    private static let inodesPerBlock = blockBytes / inodeBytes

    /// Blocks that the sandbox can fill.
    var usableBlocks: UInt64
    var inodes: UInt64

    init(bytes: UInt64) {
        usableBlocks = max(1, bytes / Self.blockBytes + (bytes % Self.blockBytes == 0 ? 0 : 1))
        inodes = min(Self.mostInodes, Self.inodes(forBytes: bytes))
    }

    /// How many files, links and directories a writable layer of this size may have.
    static func inodes(forBytes bytes: UInt64) -> UInt64 { max(fewestInodes, bytes / bytesPerInode) }

    /// Of the whole file system: an upper bound of what it needs for itself, and not much more. Depends on itself,
    /// since bitmaps and tables have to be described too, so that it is taken twice.
    var blocks: UInt64 {
        let first = usableBlocks + overhead(of: usableBlocks)
        return usableBlocks + overhead(of: first + overhead(of: first) / 8)
    }

    var imageBytes: UInt64 { blocks * Self.blockBytes }

    /// Held back by the kernel for its own needs (`ext4_calculate_resv_clusters`, Linux 3.10 and later).
    static func heldBack(of blocks: UInt64) -> UInt64 { min(blocks / 50, 4_096) }

    private func overhead(of blocks: UInt64) -> UInt64 {
        let groups = blocks / Self.blocksPerGroup + 1
        let tables = inodes / Self.inodesPerBlock + 2 * groups
        let bitmaps = 2 * groups
        let descriptors = groups * 64 / Self.blockBytes + 1
        // Copies are in groups 0, 1 and the powers of 3, 5 and 7 (sparse_super): few even of the biggest disk.
        let copies = min(groups, 40) * (1 + descriptors)
        // A last group with no more than its own tables and 50 blocks is left out by mke2fs.
        let lastGroup = tables / groups + descriptors + 64
        // The root directory and lost+found.
        let directories: UInt64 = 16
        return tables + bitmaps + copies + lastGroup + directories + Self.heldBack(of: blocks)
    }
}

import Testing

@testable import SandpoolSandbox

@Suite struct DiskGeometryTests {
    /// The free blocks that mke2fs 1.47 leaves on an image of this geometry, less what the kernel holds back.
    @Test(arguments: [
        (UInt64(1) << 20, UInt64(593)), (129 << 20, 33_367), (4_097 << 20, 1_049_509), (333 << 30, 87_300_325),
        (3 << 40, 805_353_324),
    ])
    func thereIsRoomForWhatExt4Needs(bytes: UInt64, left: UInt64) {
        let geometry = DiskGeometry(bytes: bytes)
        #expect(geometry.usableBlocks == bytes / 4_096)
        #expect(left >= geometry.usableBlocks)
        let overhead = geometry.blocks - geometry.usableBlocks
        // Inode tables alone are a sixty-fourth.
        #expect(overhead <= 1_000 + geometry.usableBlocks / 20, "\(overhead)")
    }

    @Test func aPartOfABlockIsOneMore() {
        #expect(DiskGeometry(bytes: 4_097).usableBlocks == 2)
        #expect(DiskGeometry(bytes: 1).usableBlocks == 1)
    }

    @Test func inodesFollowTheSizeWithinBounds() {
        #expect(DiskGeometry(bytes: 1 << 20).inodes == 4_096)
        #expect(DiskGeometry(bytes: 1 << 30).inodes == 65_536)
        #expect(DiskGeometry(bytes: 1 << 50).inodes == 16 << 20)
    }
}

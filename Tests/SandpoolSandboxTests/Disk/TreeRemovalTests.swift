import Foundation
import LinuxSystem
import Testing

@testable import SandpoolSandbox

/// Trees as a hostile command leaves them.
@Suite struct TreeRemovalTests {
    @Test func whatIsNotThereIsFine() throws {
        try withDirectory { parent in try TreeRemoval.remove("nothing", in: parent) }
    }

    /// Deeper than a process may have files open, or a path be long.
    @Test func depthIsNoLimit() throws {
        try withDirectory { parent in
            let tree = try makeTree(in: parent)
            var place = tree
            for _ in 0..<5_000 {
                try place.makeDirectory("d", mode: 0o700)
                try place.makeFile("f", [], mode: 0o600)
                place = try place.open("d", O_RDONLY | O_DIRECTORY)
            }
            try TreeRemoval.remove("tree", in: parent)
        }
    }

    /// What is deep is moved to the top under a number, which may be taken there.
    @Test func namesAtTheTopDoNotMatter() throws {
        try withDirectory { parent in
            let tree = try makeTree(in: parent)
            for number in 1...200 {
                let name = "\(number)"
                switch number % 3 {
                case 0: try tree.makeFile(name, [], mode: 0o600)
                case 1: try tree.makeDirectory(name, mode: 0o700)
                default:
                    var place = tree
                    for _ in 0..<70 {
                        try place.makeDirectory(name, mode: 0o700)
                        place = try place.open(name, O_RDONLY | O_DIRECTORY)
                        try place.makeFile("f", [], mode: 0o600)
                    }
                }
            }
            try TreeRemoval.remove("tree", in: parent)
        }
    }

    @Test func namesNeedNotBeText() throws {
        try withDirectory { parent in
            let tree = try makeTree(in: parent)
            for byte in [0x01, 0x0a, 0x80, 0xc0, 0xff] as [UInt8] {
                let name = [CChar(bitPattern: byte), CChar(bitPattern: 0xfe), 0]
                #expect(mkdirat(tree.raw, name, 0) == 0)
                #expect(symlinkat("/etc/passwd", tree.raw, [CChar(bitPattern: byte), 0]) == 0)
            }
            try TreeRemoval.remove("tree", in: parent)
        }
    }

    @Test func linksAreNotFollowed() throws {
        try withDirectory { parent in
            try parent.makeDirectory("kept", mode: 0o700)
            let kept = try parent.open("kept", O_RDONLY | O_DIRECTORY)
            try kept.makeFile("file", [], mode: 0o600)
            try makeTree(in: parent).makeSymbolicLink("link", to: "../kept")
            try parent.makeSymbolicLink("root", to: "kept")
            try TreeRemoval.remove("tree", in: parent)
            try TreeRemoval.remove("root", in: parent)
            try #expect(DirectoryListing.names(in: kept) == ["file"])
            #expect(unlinkat(kept.raw, "file", 0) == 0 && unlinkat(parent.raw, "kept", AT_REMOVEDIR) == 0)
        }
    }

    private func makeTree(in parent: FileDescriptor) throws -> FileDescriptor {
        try parent.makeDirectory("tree", mode: 0o700)
        return try parent.open("tree", O_RDONLY | O_DIRECTORY)
    }

    /// A directory in which nothing may be left.
    private func withDirectory(_ body: (FileDescriptor) throws -> Void) throws {
        var template = Array("/tmp/sandpool-test-XXXXXX".utf8CString)
        let made = try #require(mkdtemp(&template))
        let path = String(cString: made)
        let parent = try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY)
        try body(parent)
        try #expect(DirectoryListing.names(in: parent).isEmpty)
        #expect(rmdir(path) == 0)
    }
}

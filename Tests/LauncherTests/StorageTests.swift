import Foundation
import LinuxSystem
import SandpoolProbes
import SandpoolSandbox
import Testing

/// Layers, uploaded trees and downloads.
@Suite struct StorageTests {
    @Test func aLayerIsImportedListedUsedAndRemoved() throws {
        try withLauncher { launcher in
            let archive = try Archive.make([("bin/tool", "#!/usr/bin/sh\necho tool\n"), ("data/x", "original")])
            let bytes = try launcher.importLayer("layer-1", archive)
            #expect(bytes > 0)
            try launcher.send(.listLayers)
            try #expect(launcher.layers() == ["layer-1"])
            let mount = SandboxPlan.TreeMount(layer: "layer-1", path: "/srv/tree", isFile: false)
            let script =
                "cat data/x; ls -ln data/x | cut -d' ' -f3,4; echo changed > data/x; rm bin/tool; touch new; cat data/x"
            for _ in 0..<2 {
                // What the first changed, the second does not see.
                let plan = SandboxPlan.test("/bin/sh", "-c", script, workingDirectory: "/srv/tree", mounts: [mount])
                try #expect(launcher.run(plan).text == "original0 0\nchanged\n")
            }
            try launcher.send(.removeLayer(layer: "layer-1"))
            try launcher.send(.listLayers)
            try #expect(launcher.layers() == [])
            let failure = try launcher.failure(of: .test("/bin/true", mounts: [mount]))
            #expect(failure.stage == "layer")
        }
    }

    @Test func layersLieOverEachOther() throws {
        try withLauncher { launcher in
            // The host's own shell is not in these: the image brings a static program.
            let program = try Data(contentsOf: URL(fileURLWithPath: LauncherProcess.binary()))
            _ = try launcher.importLayer(
                "lower", try Archive.make([("etc/a", "lower"), ("etc/b", "lower")], program: program))
            _ = try launcher.importLayer("upper", try Archive.make([("etc/b", "upper")]))
            // The launcher itself, without root's rights or arguments, says so and ends with 2.
            let plan = SandboxPlan.test(
                "/bin/program", root: .layers(["lower", "upper"]), downloads: ["/etc/a", "/etc/b", "/etc/hostname"])
            let sink = try TemporaryFile()
            let finished = try launcher.run(plan, sink: sink.descriptor)
            #expect(finished.report.end == .exited(code: 2))
            #expect(finished.report.downloadMessage == "")
            try #expect(sink.archived("etc/a") == "lower")
            try #expect(sink.archived("etc/b") == "upper")
            try #expect(sink.archived("etc/hostname") == "box\n")
        }
    }

    @Test func aFileMountIsTheSandboxesOwnCopy() throws {
        try withLauncher { launcher in
            _ = try launcher.importLayer("file", try Archive.make([("content", "hello")]))
            let mount = SandboxPlan.TreeMount(layer: "file", path: "/etc/app/config", isFile: true)
            for _ in 0..<2 {
                let plan = SandboxPlan.test(
                    "/bin/sh", "-c", "cat /etc/app/config; echo more >> /etc/app/config", mounts: [mount])
                let finished = try launcher.run(plan)
                #expect(finished.text == "hello")
                #expect(finished.report.end == .exited(code: 0))
            }
        }
    }

    @Test func downloadsHoldWhatTheCommandLeft() throws {
        try withLauncher { launcher in
            _ = try launcher.importLayer("tree", try Archive.make([("in", "uploaded")]))
            let mount = SandboxPlan.TreeMount(layer: "tree", path: "/work", isFile: false)
            let sink = try TemporaryFile()
            let script = "mkdir -p /out/d; echo r > '/out/d/a b'; chmod 600 '/out/d/a b'; echo n > /work/new; exit 3"
            let plan = SandboxPlan.test(
                "/bin/sh", "-c", script, mounts: [mount], downloads: ["/out", "/work", "/not/there"])
            let report = try launcher.run(plan, sink: sink.descriptor).report
            #expect(report.end == .exited(code: 3))
            #expect(report.downloadMessage == "not there: /not/there")
            try #expect(sink.archived("out/d/a b") == "r\n")
            try #expect(sink.archived("work/new") == "n\n")
            try #expect(sink.archived("work/in") == "uploaded")
        }
    }

    @Test func aHostileArchiveStaysInside() throws {
        try withLauncher { launcher in
            let marker = "sandpool-escape-\(getpid())"
            let archive = try Archive.make([("../../../../../../../../tmp/\(marker)", "x"), ("ok", "y")])
            // tar refuses or strips it; either way nothing is outside the layer.
            _ = try? launcher.importLayer("hostile", archive)
            #expect(!FileManager.default.fileExists(atPath: "/tmp/\(marker)"))
            let link = try Archive.make([
                TarEntry("l", mode: 0o777, kind: .symbolicLink, target: "/tmp"),
                TarEntry("l/\(marker)", [1], mode: 0o644),
            ])
            _ = try? launcher.importLayer("linked", link)
            #expect(!FileManager.default.fileExists(atPath: "/tmp/\(marker)"))
            try #expect(launcher.run(.test("/bin/true")).report.end == .exited(code: 0))
        }
    }

    /// The extractor's own tree has no such file, so that what comes later goes to a file of the layer or nowhere.
    @Test func noEntryOfAnArchiveGetsOut() throws {
        let outside = "/tmp/sandpool-outside-\(getpid())"
        try Data("original".utf8).write(to: URL(filePath: outside))
        defer { unlink(outside) }
        chmod(outside, 0o666)
        let twice = { (name: String) in TarEntry(name, Array("changed".utf8), mode: 0o644) }
        let hostile: [[TarEntry]] = [
            [TarEntry(outside, Array("changed".utf8), mode: 0o644)],
            [TarEntry("hard", mode: 0o644, kind: .hardLink, target: outside), twice("hard")],
            [TarEntry("hard", mode: 0o644, kind: .hardLink, target: "../../../../..\(outside)"), twice("hard")],
            [TarEntry("soft", mode: 0o777, kind: .symbolicLink, target: outside), twice("soft")],
            [twice("soft"), TarEntry("soft", mode: 0o777, kind: .symbolicLink, target: outside), twice("soft")],
            [TarEntry("character", mode: 0o666, kind: .characterDevice)],
            [TarEntry("block", mode: 0o666, kind: .blockDevice)],
        ]
        try withLauncher { launcher in
            let layers = "\(try #require(launcher.process).dataDirectory)/layers"
            for (index, entries) in hostile.enumerated() {
                _ = try? launcher.importLayer("hostile-\(index)", try Archive.make(entries))
                try #expect(String(contentsOfFile: outside, encoding: .utf8) == "original", "\(index)")
            }
            var state = stat()
            #expect(stat(outside, &state) == 0 && state.st_nlink == 1)
            // Those that were refused are still being removed.
            try launcher.send(.listLayers)
            for layer in try launcher.layers() {
                for path in try FileManager.default.subpathsOfDirectory(atPath: "\(layers)/\(layer)") {
                    #expect(lstat("\(layers)/\(layer)/\(path)", &state) == 0)
                    #expect([S_IFREG, S_IFDIR, S_IFLNK].contains(state.st_mode & S_IFMT), "\(path)")
                }
            }
        }
    }

    @Test func aBrokenArchiveLeavesNoLayer() throws {
        try withLauncher { launcher in
            let file = try TemporaryFile()
            try file.descriptor.writeAll(Array("this is no archive at all, whatever it says".utf8))
            #expect(throws: TestFailure.self) { try launcher.importLayer("broken", file.descriptor) }
            #expect(throws: TestFailure.self) { try launcher.importLayer("../x", file.descriptor) }
            try launcher.send(.listLayers)
            try #expect(launcher.layers() == [])
        }
    }
}

import Foundation
import LinuxSystem
import SandpoolSandbox
import Testing

/// Images of as many layers as one may have.
@Suite struct LayerCountTests {
    /// As this kernel takes them, and as one before 6.8 does.
    @Test(arguments: [[], ["--overlays", "old"]])
    func manyLayersWithLongNamesLieOverEachOther(arguments: [String]) throws {
        try withLauncher(arguments: arguments) { launcher in
            let program = try Data(contentsOf: URL(fileURLWithPath: LauncherProcess.binary()))
            let names = (0..<128).map { "layer-" + String(repeating: "x", count: 55) + "\(100 + $0)" }
            for (index, name) in names.enumerated() {
                let files = [("etc/own-\(index)", "\(index)"), ("etc/last", "\(index)")]
                _ = try launcher.importLayer(name, try Archive.make(files, program: index == 0 ? program : nil))
            }
            // As many as one option holds, and more.
            for count in [1, 20, 22] {
                let first = Array(names[..<count])
                try #expect(launcher.run(.test("/bin/program", root: .layers(first))).report.end == .exited(code: 2))
            }
            let plan = SandboxPlan.test(
                "/bin/program", root: .layers(names), downloads: ["/etc/own-0", "/etc/own-127", "/etc/last"])
            let sink = try TemporaryFile()
            let finished = try launcher.run(plan, sink: sink.descriptor)
            #expect(finished.report.end == .exited(code: 2))
            #expect(finished.report.downloadMessage == "")
            try #expect(sink.archived("etc/own-0") == "0")
            try #expect(sink.archived("etc/own-127") == "127")
            try #expect(sink.archived("etc/last") == "127")
        }
    }
}

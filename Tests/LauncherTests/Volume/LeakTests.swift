import Foundation
import SandpoolSandbox
import Testing

/// Sandboxes of every kind of end, in numbers, leave nothing behind: `make leak-test` runs ten thousand.
@Suite struct LeakTests {
    private static let count = ProcessInfo.processInfo.environment["SANDPOOL_LEAK_COUNT"].flatMap(Int.init) ?? 600
    private static let parallel = 8
    /// One that has ended gives its range back a moment after the word of it.
    private static let slots = 4 * parallel
    private static let growthKiB = 2_048

    @Test func nothingIsLeft() throws {
        try withHost { enter in
            try withLauncher(prefix: enter) { launcher in
                let process = try #require(launcher.process)
                _ = try launcher.importLayer(MixedEnd.layer, try Archive.make([("in", "x")]))
                // What a launcher makes once, for every later sandbox: caches, pools, the DNS forwarder.
                try launcher.runMixed(10 * MixedEnd.allCases.count, parallel: Self.parallel, name: "warm")
                let before = try HostTraces.atRest(process, enter: enter)
                let memory = try HostTraces.residentKiB(of: process)
                try launcher.runMixed(Self.count, parallel: Self.parallel, name: "one")
                let after = try HostTraces.atRest(process, enter: enter, like: before)
                #expect(after.launcher == before.launcher)
                #expect(after.children == before.children)
                #expect(after.network == before.network)
                #expect(after.files == before.files)
                #expect(after.loopDevices == before.loopDevices)
                try #expect(HostTraces.slots(of: process) <= Self.slots)
                try #expect(HostTraces.residentKiB(of: process) <= memory + Self.growthKiB)
            }
        }
    }
}

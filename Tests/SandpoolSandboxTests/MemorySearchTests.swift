import Testing

@testable import SandpoolSandbox

@Suite struct MemorySearchTests {
    private func looks(_ search: inout MemorySearch) -> Int {
        var count = 0
        while search.goesOn() { count += 1 }
        return count
    }

    @Test func itEndsWithWhatWasNoticed() {
        var search = MemorySearch(noticed: 2, looksLeft: 10)
        let first = search.goesOn()
        search.found()
        let second = search.goesOn()
        search.found()
        #expect(first && second && looks(&search) == 0)
        // More may be found than there were notices: the kernel counts a kill of each of a command's processes.
        search.found()
        #expect(search.noticed == 0)
    }

    @Test func oneThatIsNeverFoundIsNotSoughtForEver() {
        var search = MemorySearch(noticed: 1, looksLeft: 10)
        #expect(looks(&search) == 10)
        #expect(search.noticed == 0)
        search.noticed = 1
        search.looksLeft = 3
        #expect(looks(&search) == 3)
    }
}

import SandpoolModel
import Testing

@Suite struct ResourcesTests {
    let whole = Resources(cpuMillis: 2_000, memoryBytes: 1 << 30, diskBytes: 1 << 20)

    @Test func fitsOnlyWhereEverythingFits() {
        #expect(whole.fits(whole) && whole.fits(.zero))
        #expect(!whole.fits(Resources(cpuMillis: 2_001, memoryBytes: 0, diskBytes: 0)))
        #expect(!whole.fits(Resources(cpuMillis: 0, memoryBytes: 1 << 30 | 1, diskBytes: 0)))
        #expect(!whole.fits(Resources(cpuMillis: 0, memoryBytes: 0, diskBytes: 1 << 20 | 1)))
    }

    @Test func addsAndSubtractsWithoutOverflow() {
        let most = Resources(cpuMillis: .max, memoryBytes: .max, diskBytes: .max)
        let least = Resources(cpuMillis: .min, memoryBytes: .min, diskBytes: .min)
        #expect(whole + whole - whole == whole)
        #expect(most + most == most && least + least == least && least - most == least && most - least == most)
    }
}

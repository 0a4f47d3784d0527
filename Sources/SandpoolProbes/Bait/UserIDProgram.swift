/// A program that exits with its effective user id (its low 8 bits): bait for the probe of setuid programs, small
/// enough to write down. ELF64 with one segment and no libraries (elf(5)).
public enum UserIDProgram {
    /// Nil where nobody has written it for this architecture.
    public static var bytes: [UInt8]? {
        guard !code.isEmpty else { return nil }
        let start: UInt64 = 0x40_0000
        let headers = 64 + 56
        let size = UInt64(headers + code.count)
        var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
        func put(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        // Executable, machine, version, entry, where the program headers are, sizes and counts.
        put(UInt16(2)); put(machine); put(UInt32(1))
        put(start + UInt64(headers)); put(UInt64(64)); put(UInt64(0)); put(UInt32(0))
        for value: UInt16 in [64, 56, 1, 64, 0, 0] { put(value) }
        // PT_LOAD, readable and executable, the whole file.
        put(UInt32(1)); put(UInt32(5)); put(UInt64(0)); put(start); put(start); put(size); put(size);
        put(UInt64(0x1000))
        return bytes + code
    }

    #if arch(x86_64)
        private static let machine: UInt16 = 62
        /// eax = geteuid(); exit(eax).
        private static let code: [UInt8] = [
            0xb8, 0x6b, 0, 0, 0, 0x0f, 0x05, 0x89, 0xc7, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05,
        ]
    #elseif arch(arm64)
        private static let machine: UInt16 = 183
        /// x8 = 175, svc; x8 = 93, svc: the result of the first call is the argument of the second.
        private static let code: [UInt8] = [
            0xe8, 0x15, 0x80, 0xd2, 0x01, 0, 0, 0xd4, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0, 0, 0xd4,
        ]
    #else
        private static let machine: UInt16 = 0
        private static let code: [UInt8] = []
    #endif
}

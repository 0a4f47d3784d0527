@testable import SandpoolSandbox

/// Copies of decoders with a bug each, of the kinds that fuzzing is for: a run that does not find every one of them
/// proves nothing about the others.
extension FuzzTarget {
    static let planted = [
        // Takes one byte more than there is: a trap.
        FuzzTarget("planted-bounds", sources: [], seeds: [[3, 0, 0, 0] + Array("abc".utf8)]) { bytes in
            guard bytes.count >= 4, bytes[1...3].allSatisfy({ $0 == 0 }) else { return .refused }
            let count = Int(bytes[0])
            guard count <= bytes.count - 3 else { return .refused }
            return String(validating: bytes[4..<4 + count], as: UTF8.self) == nil ? .refused : .accepted
        },
        // Believes a count before it has seen the elements: memory.
        FuzzTarget("planted-allocation", sources: [], seeds: [[2, 0, 0, 0, 1, 2]]) { bytes in
            var reader = ByteReader(bytes)
            guard let count = try? reader.read(UInt32.self) else { return .refused }
            var elements: [UInt8] = []
            elements.reserveCapacity(Int(count & 0xff_ffff))
            while elements.count < count, let element = try? reader.read(UInt8.self) { elements.append(element) }
            return elements.count == count ? .accepted : .refused
        },
        // Multiplies what a person wrote by its unit: an overflow, a trap.
        FuzzTarget("planted-overflow", sources: [], seeds: [Array("512m".utf8)]) { bytes in
            let digits = bytes.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard let number = Int64(String(decoding: digits, as: UTF8.self)), bytes.dropFirst(digits.count) == [109]
            else { return .refused }
            return number * 1_048_576 >= 0 ? .accepted : .refused
        },
        // Follows pointers wherever they lead: no end.
        FuzzTarget("planted-loop", sources: [], seeds: [[1, 97, 0, 0xc0, 0], [1, 97, 0xc0, 4, 1, 98, 0]]) { bytes in
            var place = 0
            while place < bytes.count {
                let length = Int(bytes[place])
                if length == 0 { return .accepted }
                place = length < 0xc0 || place + 1 == bytes.count ? place + 1 + length : Int(bytes[place + 1])
            }
            return .refused
        },
        // Takes every byte but 0 for true: two encodings of one value.
        FuzzTarget("planted-canonical", sources: [], seeds: [[1, 1, 0, 0, 0], [0, 9, 0, 0, 0]]) { bytes in
            var reader = ByteReader(bytes)
            guard let mark = try? reader.read(UInt8.self), let number = try? reader.read(UInt32.self),
                (try? reader.expectEnd()) != nil
            else { return .refused }
            var writer = ByteWriter()
            writer.write(mark != 0)
            writer.write(number)
            return writer.bytes == bytes ? .accepted : .broken("it has another encoding")
        },
        // Forgets one bound of many, behind conditions that chance alone does not meet: only coverage leads there.
        FuzzTarget("planted-deep", sources: [], seeds: [[UInt8](repeating: 1, count: 24)]) { bytes in
            guard bytes.count >= 16, bytes[0] == 0x73, bytes[1] == 0x70 else { return .refused }
            guard bytes[2] == 3, bytes[3] == 0x40 else { return .refused }
            guard bytes[4] == 0x7f, bytes[5] == 0xff else { return .refused }
            let offset = bytes[4..<12].reduce(Int64(0)) { $0 << 8 | Int64($1) }
            return offset + (4 << 20) > 0 && bytes[6] != 0x2a ? .accepted : .broken("an offset beyond the last")
        },
    ]
}

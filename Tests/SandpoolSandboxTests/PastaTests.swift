import Testing

@testable import SandpoolSandbox

@Suite struct PastaTests {
    private static func verdict(_ chunks: String...) -> PastaWords.Verdict? {
        var words = PastaWords()
        for chunk in chunks {
            if let verdict = words.take(Array(chunk.utf8)) { return verdict }
        }
        return nil
    }

    @Test func itsNumberOnALineOfItsOwnMeansThatItWorks() {
        #expect(Self.verdict("4711\n") == .working)
        #expect(Self.verdict("Can't run AVX2 build", ": No such file\n", "47", "11\n") == .working)
        #expect(Self.verdict("47", "11") == nil)
        #expect(Self.verdict("0.1: 4711\n") == nil)
    }

    @Test func whatItSaysBeforeItEndsIsTheReason() {
        #expect(Self.verdict("") == .ended(because: "it ended without a word"))
        #expect(
            Self.verdict("Failed to send 46 bytes to syslog\n", "No interface\u{1b}[2J\nNot usable\n", "")
                == .ended(because: "No interface?[2J; Not usable"))
        // It does not go on for ever.
        let long = Self.verdict(String(repeating: "x", count: 9_000))
        #expect(long == .ended(because: String(repeating: "x", count: 200)))
    }

    @Test func nothingOfTheHostIsHandedIn() {
        let words = Pasta.words(address: 0x0acf_0100, gateway: 0x0acf_0001)
        for flag in ["--no-map-gw", "--ipv4-only", "--no-dhcp", "--no-ra", "--foreground"] {
            #expect(words.contains(flag))
        }
        for option in ["--tcp-ports", "--udp-ports", "--tcp-ns", "--udp-ns"] {
            #expect(words.firstIndex(of: option).map { words[$0 + 1] } == "none")
        }
        #expect(words.suffix(6) == ["--address", "10.207.1.0", "--netmask", "16", "--gateway", "10.207.0.1"])
    }

    @Test func commandsKeepTheirMeaning() throws {
        for command: HostSideCommand in [
            .connect(token: 7, address: 1, gateway: 2), .disconnect(token: .max), .forward,
        ] {
            #expect(try HostSideCommand(command.encoded) == command)
            #expect(throws: CodecError.self) { try HostSideCommand(command.encoded + [0]) }
        }
        let event = HostSideEvent.ended(token: .max)
        #expect(try HostSideEvent(event.encoded) == event)
        for bytes in [event.encoded + [0], [2] + event.encoded.dropFirst(), []] {
            #expect(throws: CodecError.self) { try HostSideEvent(bytes) }
        }
        #expect(throws: CodecError.self) { try HostSideCommand([9]) }
        #expect(throws: CodecError.self) { try HostSideCommand([]) }
    }
}

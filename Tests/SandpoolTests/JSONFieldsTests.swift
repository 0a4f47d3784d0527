import NIOCore
import SandpoolAPI
import Testing

@testable import Sandpool

@Suite struct JSONFieldsTests {
    private static func fields(_ text: String) -> JSONFields { JSONFields(Array(text.utf8)) }

    @Test func findsValuesByTheirPath() {
        let fields = Self.fields(#"{"a":{"b":[1,{"c":"no"}],"c":"yes"},"n":-12,"last":true}"#)
        #expect(JSONFields.text(fields["a", "c"]) == "yes")
        #expect(JSONFields.number(fields["n"]) == -12)
        #expect(fields["last"].map { String(decoding: $0, as: UTF8.self) } == "true")
        #expect(fields["c"] == nil)
        #expect(fields["a", "b", "c"] == nil)
    }

    /// A command may hold text that looks like the coordinator's own.
    @Test func textInsideStringsIsNoKey() {
        let fields = Self.fields(#"{"command":["{\"returnCode\":0}","\\"],"returnCode":3}"#)
        #expect(JSONFields.number(fields["returnCode"]) == 3)
    }

    @Test(arguments: [
        "", "{", "[]", #"{"a"}"#, #"{"a":"#, #"{"a":"x"#, #"{"a":"x\"#, #"{"a":{"#, #"{a:1}"#, "{\"a\":1",
    ])
    func whatIsNotWholeHasNoValue(text: String) {
        #expect(Self.fields(text)["a"] == nil)
    }

    @Test func deepNestingIsRefused() {
        #expect(Self.fields(#"{"a":"# + String(repeating: "[", count: 100_000))["a"] == nil)
    }

    @Test(arguments: ["", "plain", "\"\\/", "\u{0}\u{1F}\n\r\t", "é€😀", "\u{2028}"])
    func writesStringsThatReadBack(text: String) throws {
        #expect(try WireJSON.decode([String].self, from: ByteBuffer(string: "[\(text.asJSON)]")) == [text])
    }
}

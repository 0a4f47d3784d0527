import SandpoolModel
import SandpoolStore
import SandpoolTestSupport
import Testing

@Suite struct TokenConformance {
    private func token(_ character: Character, role: TokenRole = .submit, at moment: Timestamp = .origin) -> TokenRecord
    {
        TokenRecord(
            id: .make(at: moment), name: "ci", role: role, hash: String(repeating: character, count: 64),
            createdAt: moment)
    }

    @Test(arguments: StoreKind.allCases)
    func aTokenIsFoundByItsHashAndRevokedOnce(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let tokens = TokenRole.allCases.enumerated().map { index, role in
                token(Character(String(index)), role: role, at: .at(Double(index)))
            }
            for token in tokens.reversed() { try await store.insertToken(token) }
            #expect(try await store.tokens() == tokens)
            #expect(try await store.token(hash: tokens[1].hash) == tokens[1])
            #expect(try await store.token(hash: "0") == nil)
            #expect(try await store.revokeToken(tokens[1].id, now: .at(7)))
            #expect(try await store.revokeToken(tokens[1].id, now: .at(8)))
            #expect(try await store.token(hash: tokens[1].hash)?.revokedAt == .at(7))
            #expect(try await store.revokeToken(.make(at: .origin), now: .at(8)) == false)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aHashIsUnique(kind: StoreKind) async throws {
        try await kind.withStore { store in
            try await store.insertToken(token("a"))
            await #expect(throws: StoreError.self) { try await store.insertToken(token("a")) }
            #expect(try await store.tokens().count == 1)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aClosedStoreRefusesEverything(kind: StoreKind) async throws {
        try await withScratchDirectory { directory in
            let store: any JobStore =
                kind == .memory
                ? MemoryJobStore() : try await SQLiteJobStore.open(path: directory + "/store.sqlite", now: .origin)
            try await store.close()
            await #expect(throws: StoreError.closed) { try await store.tokens() }
            await #expect(throws: StoreError.closed) { try await store.submit([.sample()], now: .origin) }
            await #expect(throws: StoreError.closed) { try await store.close() }
        }
    }
}

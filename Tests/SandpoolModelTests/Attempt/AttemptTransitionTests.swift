import SandpoolModel
import Testing

/// The whole table of states and events, written down by hand from the meaning of each pair and not from the code.
@Suite struct AttemptTransitionTests {
    static let events: [AttemptEvent] = [
        .preparing, .building, .started, .ended(Outcome(cause: .exited, exitCode: 0)), .returned, .lost, .superseded,
    ]

    /// A row for each state, a column for each event above. P, B, R, F, L, S: moves to that state; `=`: was recorded
    /// before; `x`: cannot happen.
    static let table: [AttemptState: String] = [
        .leased: "PBRFLLS",
        .preparing: "=BRFLLS",
        .building: "==RFLLS",
        .running: "===FxLS",
        .finished: "====xxx",
        .lost: "xxxx==x",
        .superseded: "xxxxxx=",
    ]

    static let decisions: [Character: AttemptDecision] = [
        "P": .move(to: .preparing), "B": .move(to: .building), "R": .move(to: .running), "F": .move(to: .finished),
        "L": .move(to: .lost), "S": .move(to: .superseded), "=": .duplicate, "x": .refuse,
    ]

    @Test(arguments: AttemptState.allCases, 0..<7) func decides(state: AttemptState, event: Int) throws {
        let row = try #require(Self.table[state])
        let cell = try #require(Array(row).indices.contains(event) ? Array(row)[event] : nil)
        #expect(try state.decide(Self.events[event]) == #require(Self.decisions[cell]))
    }

    @Test func theTableIsWhole() {
        #expect(Set(Self.table.keys) == Set(AttemptState.allCases))
        #expect(Self.table.values.allSatisfy { $0.count == Self.events.count })
        #expect(Set(Self.events.map(Self.column)) == Set(0..<7))
    }

    /// Does not compile when an event is added, so that the table cannot fall behind.
    static func column(of event: AttemptEvent) -> Int {
        switch event {
        case .preparing: 0
        case .building: 1
        case .started: 2
        case .ended: 3
        case .returned: 4
        case .lost: 5
        case .superseded: 6
        }
    }

    /// Whatever arrives in whatever order, twice or late: a terminal state stays.
    @Test(arguments: AttemptState.allCases.filter(\.isTerminal)) func aTerminalStateIsFinal(state: AttemptState) {
        for event in Self.events {
            if case .move = state.decide(event) { Issue.record("\(state) moved on \(event)") }
        }
    }

    @Test(arguments: AttemptState.allCases) func theSameEventTwiceIsADuplicate(state: AttemptState) {
        for event in Self.events {
            guard case .move(let next) = state.decide(event) else { continue }
            #expect(next.decide(event) == .duplicate, "\(event) again in \(next)")
        }
    }
}

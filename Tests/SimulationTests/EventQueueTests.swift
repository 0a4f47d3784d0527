import Testing

@testable import SandpoolTestSupport

@Suite struct EventQueueTests {
    @Test func eventsComeByMomentAndThenInTheirOrder() {
        var queue = EventQueue<Int>()
        var chance = Chance(seed: 7)
        var added: [(moment: Int64, event: Int)] = []
        for event in 0..<2_000 {
            let moment = chance.number(Int64(0)...100)
            queue.add(event, at: moment)
            added.append((moment, event))
        }
        // Sorting by moment alone would leave equal moments in any order: the event's number says which was first.
        for expected in added.sorted(by: { ($0.moment, $0.event) < ($1.moment, $1.event) }) {
            let next = queue.next()
            #expect(next?.moment == expected.moment)
            #expect(next?.event == expected.event)
        }
        #expect(queue.next() == nil)
    }

    @Test func placesAreUsedAgain() {
        var queue = EventQueue<String>()
        queue.add("late", at: 9)
        for round in 0..<100 {
            queue.add("\(round)", at: 1)
            #expect(queue.next()?.event == "\(round)")
        }
        #expect(queue.next()?.event == "late")
        #expect(queue.isEmpty)
    }
}

@Suite struct ChanceTests {
    @Test func everyNumberOfARangeComes() {
        var chance = Chance(seed: 1)
        var seen: Set<Int> = []
        for _ in 0..<1_000 { seen.insert(chance.number(-2...2)) }
        #expect(seen == [-2, -1, 0, 1, 2])
    }

    @Test func spansStayInTheirRangeAndReachItsEnds() {
        var chance = Chance(seed: 2)
        let spans = (0..<5_000).map { _ in chance.span(1_000...200_000_000) }
        #expect(spans.allSatisfy { (1_000...200_000_000).contains($0) })
        #expect(spans.contains { $0 < 4_000 })
        #expect(spans.contains { $0 > 100_000_000 })
    }
}

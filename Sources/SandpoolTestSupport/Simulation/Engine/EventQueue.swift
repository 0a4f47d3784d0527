/// What is going to happen in a simulated world, by its moment; what has the same moment happens in the order in which
/// it was added. A binary heap of small entries: the events themselves stay where they were put.
struct EventQueue<Event> {
    private struct Entry {
        var moment: Int64
        var order: UInt32
        var slot: Int32

        func precedes(_ other: Entry) -> Bool { (moment, order) < (other.moment, other.order) }
    }

    private var heap: [Entry] = []
    private var slots: [Event?] = []
    private var free: [Int32] = []
    private var added: UInt32 = 0

    var isEmpty: Bool { heap.isEmpty }

    /// - Parameter moment: microseconds.
    mutating func add(_ event: Event, at moment: Int64) {
        let slot: Int32
        if let reused = free.popLast() {
            slot = reused
            slots[Int(slot)] = event
        } else {
            slot = Int32(slots.count)
            slots.append(event)
        }
        added += 1
        heap.append(Entry(moment: moment, order: added, slot: slot))
        rise(from: heap.count - 1)
    }

    mutating func next() -> (moment: Int64, event: Event)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        defer {
            slots[Int(first.slot)] = nil
            free.append(first.slot)
        }
        return slots[Int(first.slot)].map { (first.moment, $0) }
    }

    private mutating func rise(from start: Int) {
        var index = start
        let entry = heap[index]
        while index > 0 {
            let parent = (index - 1) / 2
            guard entry.precedes(heap[parent]) else { break }
            heap[index] = heap[parent]
            index = parent
        }
        heap[index] = entry
    }

    private mutating func sink() {
        var index = 0
        let entry = heap[0]
        while true {
            var child = 2 * index + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
            guard heap[child].precedes(entry) else { break }
            heap[index] = heap[child]
            index = child
        }
        heap[index] = entry
    }
}

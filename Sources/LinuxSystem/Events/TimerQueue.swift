/// Deadlines in the order of their time: a binary heap whose entries are cancelled by name.
///
/// Pure: the caller brings the clock.
public struct TimerQueue<Element> {
    /// Names one deadline, never reused.
    public struct Token: Hashable, Sendable { let number: UInt64 }

    private struct Entry {
        var deadline: UInt64
        var number: UInt64
    }

    private var heap: [Entry] = []
    private var elements: [UInt64: Element] = [:]
    private var nextNumber: UInt64 = 0

    public init() {}

    public var count: Int { elements.count }

    public mutating func add(at deadline: UInt64, _ element: Element) -> Token {
        nextNumber += 1
        elements[nextNumber] = element
        heap.append(Entry(deadline: deadline, number: nextNumber))
        siftUp(heap.count - 1)
        return Token(number: nextNumber)
    }

    public mutating func cancel(_ token: Token) {
        elements[token.number] = nil
        // Cancelled entries leave the heap when they reach its top, or here when they are the most of it.
        if heap.count > 64, heap.count > 2 * elements.count {
            heap.removeAll { elements[$0.number] == nil }
            heap.sort { $0.deadline < $1.deadline }
        }
    }

    /// The earliest deadline.
    public mutating func next() -> UInt64? {
        while let first = heap.first, elements[first.number] == nil { removeFirst() }
        return heap.first?.deadline
    }

    /// Takes one deadline that has been reached, the earliest first.
    public mutating func pop(at now: UInt64) -> Element? {
        guard let deadline = next(), deadline <= now, let number = heap.first?.number else { return nil }
        removeFirst()
        return elements.removeValue(forKey: number)
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].deadline < heap[smallest].deadline { smallest = child }
            }
            if smallest == parent { return }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0, heap[child].deadline < heap[(child - 1) / 2].deadline {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }
}

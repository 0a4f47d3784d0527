/// A queue in which each element stands at most once.
struct TurnQueue<Element: Hashable & Sendable>: Sendable {
    private var elements: [Element] = []
    private var head = 0
    private var members: Set<Element> = []

    var isEmpty: Bool { members.isEmpty }
    var count: Int { elements.count - head }

    mutating func append(_ element: Element) {
        if members.insert(element).inserted { elements.append(element) }
    }

    /// Takes the first element.
    mutating func next() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head]
        head += 1
        members.remove(element)
        // Moved together when the gone ones are the most of it, so that taking costs nothing on average.
        if head > 64, head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }

    mutating func removeAll() { self = TurnQueue() }
}

/// A queue between tasks: `next` waits for an element and answers `nil` after the end.
actor Mailbox<Element: Sendable> {
    private var elements: [Element] = []
    private var waiters: [CheckedContinuation<Element?, Never>] = []
    private var isFinished = false

    func push(_ element: Element) {
        if waiters.isEmpty { elements.append(element) } else { waiters.removeFirst().resume(returning: element) }
    }

    func finish() {
        isFinished = true
        for waiter in waiters { waiter.resume(returning: nil) }
        waiters = []
    }

    func next() async -> Element? {
        if !elements.isEmpty { return elements.removeFirst() }
        if isFinished { return nil }
        return await withCheckedContinuation { waiters.append($0) }
    }
}

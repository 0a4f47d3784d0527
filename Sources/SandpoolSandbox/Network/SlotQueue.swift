/// Numbers for interfaces and addresses. A number that was given back waits as long as possible before it is
/// used again: its namespace ends in the background, and a late packet should find nobody.
struct SlotQueue {
    private let count: Int
    private(set) var fresh = 0
    private var returned: [Int] = []
    private var head = 0

    init(count: Int) { self.count = count }

    /// With the first numbers used before, and some of them still in use.
    init(count: Int, fresh: Int, inUse: Set<Int>) {
        self.count = count
        self.fresh = fresh
        returned = (0..<fresh).filter { !inUse.contains($0) }
    }

    mutating func take() -> Int? {
        if fresh < count {
            fresh += 1
            return fresh - 1
        }
        guard head < returned.count else { return nil }
        head += 1
        let slot = returned[head - 1]
        if head == count {
            returned.removeFirst(head)
            head = 0
        }
        return slot
    }

    mutating func giveBack(_ slot: Int) { returned.append(slot) }
}

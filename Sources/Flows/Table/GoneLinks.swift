/// The numbers of the interfaces that went last. Bounded, since a kernel's numbers begin anew after 65,536 of our half, and flows end long before.
struct GoneLinks {
  static let capacity = 1024

  private var links: Set<UInt16> = []
  /// In the order they went, from `oldest` on around.
  private var order: ContiguousArray<UInt16> = []
  private var oldest = 0

  @inline(__always) func contains(_ link: UInt16) -> Bool { !links.isEmpty && links.contains(link) }

  mutating func insert(_ link: UInt16) {
    guard links.insert(link).inserted else { return }
    guard order.count == Self.capacity else { return order.append(link) }
    links.remove(order[oldest])
    order[oldest] = link
    oldest = (oldest + 1) % Self.capacity
  }
}

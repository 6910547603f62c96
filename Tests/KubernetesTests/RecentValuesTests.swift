import Testing

@testable import Kubernetes

@Suite struct RecentValuesTests {
  @Test func `nobody gets another's value, however many there are, and equal ones share their memory`() {
    var recent = RecentValues<[Int]>()
    for _ in 0..<2 {
      for number in 0..<20_000 { #expect(recent.shared([number, 1]) == [number, 1]) }
    }
    let first = recent.shared([7, 7])
    let second = recent.shared([7, 7])
    #expect(place(first) == place(second))
  }

  /// Where the elements lie.
  private func place(_ numbers: [Int]) -> Int { unsafe numbers.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) } }
}

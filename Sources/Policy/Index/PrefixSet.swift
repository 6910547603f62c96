import EgressModel

/// Many address blocks, asked for an address at the cost of how many lengths they have, not how many they are.
struct PrefixSet: Sendable {
  let blocks: Set<IPPrefix>
  /// Longest first.
  private let lengths4: [Int]
  private let lengths6: [Int]

  init(_ prefixes: some Sequence<IPPrefix>) {
    blocks = Set(prefixes)
    lengths4 = Set(blocks.lazy.filter(\.isV4).map(\.length)).sorted(by: >)
    lengths6 = Set(blocks.lazy.filter { !$0.isV4 }.map(\.length)).sorted(by: >)
  }

  /// The longest block that holds the address.
  func block(of address: IPAddress) -> IPPrefix? {
    for length in address.isV4 ? lengths4 : lengths6 {
      if let block = IPPrefix(address, length: length), blocks.contains(block) { return block }
    }
    return nil
  }
}

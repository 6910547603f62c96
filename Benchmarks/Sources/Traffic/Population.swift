import EgressModel

/// Who talks to whom: pods of one node, and sites of the outside world with Zipf popularity.
///
/// Outside addresses are of the ranges set aside for benchmarks, 198.18.0.0/15 ([RFC 2544](https://www.rfc-editor.org/rfc/rfc2544)) and
/// 2001:2::/48 ([RFC 5180](https://www.rfc-editor.org/rfc/rfc5180)); names end in `.example`.
struct Population {
  struct Site {
    var name: String
    /// CNAME targets from the name to the owner of the addresses; often none.
    var chain: [String]
    var v4: [IPAddress]
    var v6: [IPAddress]
  }

  private let sites: [Site]
  /// Sum of the popularity of the sites up to and with this one.
  private let cumulative: [Double]

  static let resolverV4 = IPAddress(v4: 0x0a14_ff35)
  static let resolverV6 = IPAddress(high: 0xfd00_0020_0000_0000, low: 0x35)

  static func client(_ index: Int, v6: Bool) -> IPAddress {
    v6 ? IPAddress(high: 0xfd00_0020_0000_0000, low: 0x1_0000 + UInt64(index)) : IPAddress(v4: 0x0a14_0001 + UInt32(index))
  }

  init(siteCount: Int, using random: inout SplitMix64) {
    // A third of the sites stand behind a shared front: several names on one address.
    let fronts = (0..<64).map { _ in (v4: Self.outsideV4(using: &random), v6: Self.outsideV6(using: &random)) }
    sites = (0..<siteCount).map { index in
      let host = random.pick(Self.hosts)
      let name = "\(host)\(index).\(random.pick(Self.words))-\(random.pick(Self.words)).example"
      let chain = (0..<random.pick([0, 0, 0, 1, 1, 2, 3])).map { "\(host)\(index)-\($0).edge\($0).\(random.pick(Self.words))-cdn.example" }
      if random.below(3) == 0 {
        let front = random.pick(fronts)
        return Site(name: name, chain: chain, v4: [front.v4], v6: [front.v6])
      }
      return Site(
        name: name, chain: chain,
        v4: (0..<random.pick([1, 1, 2, 4])).map { _ in Self.outsideV4(using: &random) },
        v6: (0..<random.pick([1, 2])).map { _ in Self.outsideV6(using: &random) })
    }
    var sum = 0.0
    cumulative = (1...siteCount).map { rank in
      sum += 1 / Double(rank)
      return sum
    }
  }

  func site(using random: inout SplitMix64) -> Site {
    let target = random.unit() * cumulative[cumulative.count - 1]
    var low = 0
    var high = cumulative.count - 1
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] <= target { low = middle + 1 } else { high = middle }
    }
    return sites[low]
  }

  private static func outsideV4(using random: inout SplitMix64) -> IPAddress { IPAddress(v4: 0xc612_0000 | UInt32(random.below(1 << 17))) }

  private static func outsideV6(using random: inout SplitMix64) -> IPAddress {
    IPAddress(high: 0x2001_0002_0000_0000 | UInt64(random.below(1 << 16)), low: random.next() >> 16)
  }

  private static let hosts = ["api", "www", "img", "static", "cdn", "auth", "login", "pay", "events", "metrics", "hooks", "s3", "mail", "media"]
  private static let words = [
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbor", "iris", "juniper", "kestrel", "lumen", "maple", "nimbus",
    "onyx", "pine", "quartz", "river", "slate", "tundra",
  ]
}

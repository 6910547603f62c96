import Foundation

/// An input to begin with.
struct Seed {
  var target: Target
  var octets: [UInt8]

  init(_ target: Target, _ octets: [UInt8]) {
    self.target = target
    self.octets = octets
  }

  init(_ target: Target, _ text: String) { self.init(target, Array(text.utf8)) }
}

/// A folder for each target, a file for each input, named by its content, so that the same input is there once.
enum SeedDirectory {
  /// Returns how many files there are to begin with.
  static func write(_ seeds: [Seed], to directory: String) throws -> Int {
    let root = URL(filePath: directory)
    var written: Set<String> = []
    for target in Target.allCases {
      try FileManager.default.createDirectory(at: root.appending(path: target.rawValue), withIntermediateDirectories: true)
    }
    for seed in seeds {
      let path = "\(seed.target.rawValue)/\(name(of: seed.octets))"
      guard written.insert(path).inserted else { continue }
      try Data(seed.octets).write(to: root.appending(path: path))
    }
    return written.count
  }

  /// FNV-1a of 64 bits ([draft-eastlake-fnv](https://datatracker.ietf.org/doc/draft-eastlake-fnv/)).
  private static func name(of octets: [UInt8]) -> String {
    let hash = octets.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    let digits = String(hash, radix: 16)
    return "seed-" + String(repeating: "0", count: 16 - digits.count) + digits
  }
}

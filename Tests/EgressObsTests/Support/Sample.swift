import Foundation

/// The sample that the project ships.
enum Sample {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
  static let capture = root + "/Examples/shop.pcap"
  static let inventory = root + "/Examples/inventory.yaml"
  static let policies = root + "/Examples/policies"
  static let declared = ["--inventory", inventory, "--policies", policies]

  /// Writes the sample's frames `count` times, each time from other pods and a second later: 46 flows more a time.
  static func repeated(_ count: Int, to path: String) throws {
    let capture = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Self.capture)))
    var frames: [Range<Int>] = []
    var offset = 24
    while offset < capture.count {
      let length = (0..<4).reduce(0) { $0 | Int(capture[offset + 8 + $1]) << (8 * $1) }
      frames.append(offset..<offset + 16 + length)
      offset += 16 + length
    }
    var text = Data(capture[..<24])
    for time in 0..<count {
      for frame in frames {
        var octets = Array(capture[frame])
        let seconds = (0..<4).reduce(0) { $0 | Int(octets[$1]) << (8 * $1) } + time
        for byte in 0..<4 { octets[byte] = UInt8(seconds >> (8 * byte) & 0xff) }
        // Behind 16 octets of record and 14 of Ethernet: 10.244.x.y becomes 10.n.x.y where x is the node's.
        if octets[28] == 8, octets[29] == 0 {
          for address in [42, 46] where octets[address] == 10 && octets[address + 1] == 244 {
            octets[address + 1] = UInt8(time % 90)
            octets[address + 2] = UInt8(time / 90)
          }
        }
        text.append(contentsOf: octets)
      }
    }
    try text.write(to: URL(fileURLWithPath: path))
  }
}

/// Lines of NDJSON as dictionaries.
func objects(_ text: String) throws -> [[String: Any]] {
  try text.split(separator: "\n").map { line in
    guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else { throw NotAnObject(line: String(line)) }
    return object
  }
}

struct NotAnObject: Error { var line: String }

extension Dictionary where Key == String, Value == Any {
  func at(_ path: String...) -> Any? {
    path.reduce(self as Any?) { ($0 as? [String: Any])?[$1] }
  }
  func text(_ path: String...) -> String? {
    path.reduce(self as Any?) { ($0 as? [String: Any])?[$1] } as? String
  }
  func number(_ path: String...) -> Int? {
    path.reduce(self as Any?) { ($0 as? [String: Any])?[$1] } as? Int
  }
}

/// What a database holds, by the commands that read it.
struct Database: Sendable {
  var path: String

  func flows(_ filters: String...) throws -> [[String: Any]] {
    try objects(try output(["flows", "-o", "ndjson"] + filters))
  }

  /// Findings, and the coverage last.
  func report(_ arguments: String...) throws -> [[String: Any]] {
    try objects(try output(["report", "-o", "ndjson"] + arguments))
  }

  var gaps: [String] {
    get throws { (try report().last?["gaps"] as? [[String: Any]] ?? []).compactMap { $0.text("reason") } }
  }

  func alerts() throws -> [[String: Any]] { try objects(try output(["alerts", "list", "-o", "ndjson"])) }

  /// SQLite's own opinion, by its own program where there is one.
  var isSound: Bool {
    get throws {
      guard NetworkLab.isInstalled("sqlite3") else { return try !report().isEmpty }
      return try Program.run("sqlite3", "-cmd", ".timeout 5000", path, "PRAGMA integrity_check") == "ok\n"
    }
  }

  private func output(_ arguments: [String]) throws -> String {
    let arguments = arguments + ["--db", path]
    let outcome = try Program.egressObs(arguments)
    guard outcome.status == 0 else { throw Program.Failed(command: arguments, outcome: outcome) }
    return outcome.output
  }
}

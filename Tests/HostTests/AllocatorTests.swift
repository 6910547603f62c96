import Foundation
import Host
import Testing

struct AllocatorTests {
  /// KiB of this program's code that are resident.
  private static func residentCode() throws -> Int {
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    var (isCode, sum) = (false, 0)
    for line in try String(contentsOfFile: "/proc/self/smaps", encoding: .utf8).split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.first?.contains("-") == true { isCode = words.count > 1 && words[1] == "r-xp" && line.hasSuffix(program) }
      if isCode, words.first == "Rss:", words.count > 1 { sum += Int(words[1]) ?? 0 }
    }
    return sum
  }

  @Test func `code is given back, and runs all the same`() throws {
    let before = try Self.residentCode()
    Allocator.returnCode()
    let after = try Self.residentCode()
    // Other tests run meanwhile and bring back what they need.
    #expect(before > 0 && after < before, "\(before) to \(after) KiB")
  }
}

/// A pattern in which `*` stands for any run of characters, dots and slashes included, and `?` for one octet; case counts.
public struct Glob: Hashable, Sendable, CustomStringConvertible {
  public let description: String
  private let pattern: [UInt8]
  /// Whether only one text matches.
  public let isLiteral: Bool

  public init(_ text: String) {
    description = text
    pattern = Array(text.utf8)
    isLiteral = !pattern.contains(UInt8(ascii: "*")) && !pattern.contains(UInt8(ascii: "?"))
  }

  /// Linear in the text for each star: on a mismatch only the last star is tried again, one octet later.
  public func matches(_ text: String) -> Bool {
    if isLiteral { return text == description }
    let bytes = text.utf8.span
    var (index, at) = (0, 0)
    var (star, mark): (Int?, Int) = (nil, 0)
    while index < bytes.count {
      if at < pattern.count, pattern[at] == UInt8(ascii: "*") {
        (star, mark) = (at, index)
        at += 1
      } else if at < pattern.count, pattern[at] == UInt8(ascii: "?") || pattern[at] == bytes[index] {
        index += 1
        at += 1
      } else if let last = star {
        mark += 1
        (at, index) = (last + 1, mark)
      } else {
        return false
      }
    }
    return pattern[at...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}

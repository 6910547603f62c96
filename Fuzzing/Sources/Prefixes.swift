import EgressModel
import Wire

/// What `StreamResult` promises of a decoder: it is a pure function of a prefix, and asking earlier gives the same answer or none yet.
enum Prefixes {
  /// Asks with the whole and with parts of it; returns the answer to the whole.
  @discardableResult
  static func check<Value: Equatable>(_ bytes: Span<UInt8>, _ decode: (Span<UInt8>) -> StreamResult<Value>) -> StreamResult<Value> {
    let whole = decode(bytes)
    if case .needMore(let count) = whole { demand(count > bytes.count, "\(bytes.count) octets do not suffice, \(count) do") }
    for length in lengths(bytes) {
      let part = decode(bytes.extracting(0..<length))
      switch part {
      case .needMore(let count):
        demand(count > length, "\(length) octets do not suffice, \(count) do")
        if count > bytes.count, case .found = whole { demand(false, "nothing is found before \(count) octets are there, by the first \(length): \(whole)") }
      case .found:
        demand(part == whole, "what \(length) octets say, all \(bytes.count) say: \(part), \(whole)")
      case .other:
        // Why it is something else may show in several places.
        guard case .other = whole else { fatalError("broken promise: what \(length) octets are not, all \(bytes.count) are not: \(part), \(whole)") }
      }
    }
    return whole
  }

  /// All shorter lengths of a short input; of a long one the first few, and some that depend on its octets.
  static func lengths(_ bytes: Span<UInt8>) -> [Int] {
    guard bytes.count > 64 else { return Array(0..<bytes.count) }
    var generator = SeededGenerator(seed: UInt64(bytes.count) << 8 | UInt64(bytes[bytes.count - 1]))
    return Array(0..<8) + (0..<16).map { _ in Int.random(in: 8..<bytes.count, using: &generator) }
  }
}

extension DomainName {
  /// Whatever a stranger wrote, what is inside is printable ASCII.
  func check() {
    demand(text.utf8.allSatisfy { (0x21...0x7e).contains($0) }, "a name is printable: \(text)")
  }
}

/// Takes an input apart. The octets are handed to every read, as to a `ByteCursor`.
struct Input {
  private var offset = 0
  private let count: Int

  init(_ bytes: Span<UInt8>, skipping offset: Int) {
    count = bytes.count
    self.offset = min(offset, count)
  }

  var isAtEnd: Bool { offset == count }

  /// 0 behind the end.
  mutating func octet(_ bytes: Span<UInt8>) -> UInt8 {
    guard offset < count else { return 0 }
    defer { offset += 1 }
    return bytes[offset]
  }

  mutating func uint16(_ bytes: Span<UInt8>) -> Int { Int(octet(bytes)) << 8 | Int(octet(bytes)) }

  /// The next `length` octets, or as many as there are.
  mutating func range(_ length: Int) -> Range<Int> {
    defer { offset = min(count, offset + length) }
    return offset..<min(count, offset + length)
  }
}

/// Takes a list answer of the API apart while it comes in, cut anywhere: one item at a time, so that the length of a list costs no memory.
///
///     {"kind":"PodList","metadata":{"resourceVersion":"716","continue":"…"},"items":[{…},{…}]}
struct ListSplitter {
  /// `metadata` of the list as it is; empty until it was seen.
  private(set) var metadata: [UInt8] = []
  /// Whether the whole answer was seen.
  private(set) var isComplete = false

  private var depth = 0
  private var isInString = false
  private var isEscaped = false
  /// The member of the outermost object that is being read, and whether its value has begun.
  private var key: [UInt8] = []
  private var isKey = true
  private var piece: [UInt8] = []
  private var place = Place.outside

  private enum Place {
    case outside, key, metadata, items, item
  }

  /// etcd takes objects of 1.5 MiB.
  static let maximumItem = 8 << 20

  enum Failure: Error, Equatable {
    case tooLarge
    case notAnObject
    case trailing
  }

  /// Takes the next bytes, and hands out each item that they complete.
  mutating func take(_ bytes: some Sequence<UInt8>, _ body: ([UInt8]) throws -> Void) throws {
    for byte in bytes {
      if isInString {
        keep(byte)
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
          if place == .key { place = .outside }
        }
      } else {
        try structure(byte, body)
      }
      guard piece.count <= Self.maximumItem, key.count <= 256, metadata.count <= 1 << 20 else { throw Failure.tooLarge }
    }
  }

  private mutating func structure(_ byte: UInt8, _ body: ([UInt8]) throws -> Void) throws {
    switch byte {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      if depth == 0 {
        guard byte == UInt8(ascii: "{"), !isComplete else { throw isComplete ? Failure.trailing : .notAnObject }
      }
      depth += 1
      if place == .outside, depth == 2, !isKey {
        if key.elementsEqual("items".utf8), byte == UInt8(ascii: "[") { place = .items }
        if key.elementsEqual("metadata".utf8), byte == UInt8(ascii: "{") { (place, metadata) = (.metadata, []) }
      } else if place == .items, depth == 3 {
        place = .item
      }
      keep(byte)
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      keep(byte)
      depth -= 1
      guard depth >= 0 else { throw Failure.trailing }
      if place == .item, depth == 2 {
        place = .items
        try body(piece)
        piece.removeAll(keepingCapacity: true)
      } else if depth == 1 {
        place = .outside
      } else if depth == 0 {
        isComplete = true
      }
    case UInt8(ascii: "\""):
      guard depth > 0 else { throw Failure.notAnObject }
      if depth == 1, isKey { (place, key) = (.key, []) } else { keep(byte) }
      isInString = true
    case UInt8(ascii: ":") where depth == 1: isKey = false
    case UInt8(ascii: ",") where depth == 1: isKey = true
    case 0x20, 0x0a, 0x0d, 0x09: break
    default:
      guard depth > 0 else { throw Failure.notAnObject }
      keep(byte)
    }
  }

  private mutating func keep(_ byte: UInt8) {
    switch place {
    case .item: piece.append(byte)
    case .metadata: metadata.append(byte)
    case .key: if byte != UInt8(ascii: "\"") { key.append(byte) }
    case .outside, .items: break
    }
  }
}

/// Takes the stream of a watch apart: one event a line.
struct LineSplitter {
  private var line: [UInt8] = []

  mutating func take(_ bytes: some Sequence<UInt8>, _ body: ([UInt8]) throws -> Void) throws {
    for byte in bytes {
      if byte == 0x0a {
        if !line.isEmpty { try body(line) }
        line.removeAll(keepingCapacity: true)
      } else {
        line.append(byte)
        guard line.count <= ListSplitter.maximumItem else { throw ListSplitter.Failure.tooLarge }
      }
    }
  }
}

import Yams

/// Reads YAML as the API server does (YAML 1.1 scalars), one document at a time so that a broken one does not hide the others.
///
/// Bounded: nesting by the parser (1,000 levels), alias expansion by `aliasAllowance` values a file.
enum YAMLText {
  /// A document has no more values than bytes unless aliases multiply them; this is how many more are let through in all documents of a file.
  static let aliasAllowance = 100_000

  struct Document {
    var text: Substring
    /// Of the first line of `text`, counted from 1.
    var line: Int
  }

  /// Cuts at `---` and `...` in the first column, which end a document wherever they stand; leaves out what holds nothing.
  static func documents(_ text: String) -> [Document] {
    var documents: [Document] = []
    let bytes = text.utf8
    var start = bytes.startIndex
    var (line, startLine) = (1, 1)
    var holdsSomething = false
    var cursor = bytes.startIndex

    func close(at end: String.Index) {
      if holdsSomething { documents.append(Document(text: text[start..<end], line: startLine)) }
    }
    while cursor < bytes.endIndex {
      let end = bytes[cursor...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
      let content = bytes[cursor..<end]
      if isMarker(content, UInt8(ascii: "-")) || isMarker(content, UInt8(ascii: ".")) {
        let begins = content.first == UInt8(ascii: "-")
        close(at: cursor)
        (start, startLine) = begins ? (cursor, line) : (end, line)
        holdsSomething = begins && isContent(content.dropFirst(3))
      } else if !holdsSomething {
        holdsSomething = isContent(content)
      }
      cursor = end < bytes.endIndex ? bytes.index(after: end) : end
      line += 1
    }
    close(at: bytes.endIndex)
    return documents
  }

  private static func isMarker(_ line: Substring.UTF8View, _ character: UInt8) -> Bool {
    guard line.prefix(3).elementsEqual([character, character, character]) else { return false }
    return line.dropFirst(3).first.map { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d } ?? true
  }

  private static func isContent(_ line: Substring.UTF8View) -> Bool {
    guard let first = line.first(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d }) else { return false }
    // A directive (`%YAML 1.1`) belongs to the `---` that follows it.
    return first != UInt8(ascii: "#") && first != UInt8(ascii: "%")
  }

  enum Failure: Error {
    case failure(line: Int, problem: String, advice: String?)
  }

  /// `allowance`: how many more values than bytes there may still be; lessened by what the document takes of it.
  static func value(of document: Document, allowance: inout Int) throws(Failure) -> ManifestValue {
    if let line = aliasInKey(document) {
      throw .failure(line: line, problem: "an alias stands in the key of a map", advice: "write the key out")
    }
    do {
      // No resolver: scalars are resolved below, by the rules of the API server.
      let parser = try Parser(yaml: String(document.text), resolver: .basic, encoding: .utf8)
      guard let root = try parser.nextRoot() else { return ManifestValue(content: .null, line: document.line) }
      var conversion = Conversion(offset: document.line - 1, remaining: document.text.utf8.count + allowance)
      defer { allowance = max(0, min(allowance, conversion.remaining)) }
      return try conversion.value(root)
    } catch let failure as Failure {
      throw failure
    } catch let error as YamlError {
      throw failure(error, document.line - 1)
    } catch {
      throw .failure(line: document.line, problem: "it is not YAML", advice: nil)
    }
  }

  private static func failure(_ error: YamlError, _ offset: Int) -> Failure {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
      .failure(line: mark.line + offset, problem: "it is not YAML: \(problem)", advice: nil)
    case .duplicatedKeysInMapping(let duplicates, let context):
      .failure(
        line: context.mark.line + offset, problem: "the key \(duplicates.map(quoted).joined(separator: ", ")) stands there twice",
        advice: "keep one of them")
    case .reader(let problem, _, _, _):
      .failure(line: offset + 1, problem: "it is not YAML: \(problem)", advice: nil)
    default:
      .failure(line: offset + 1, problem: "it is not YAML", advice: nil)
    }
  }

  // The parser compares the keys of a map by value, so keys made of nested aliases would cost exponential time. Where a
  // document uses an anchor at all, aliases, flow collections and `?` as keys are refused by how the text looks, quotes or not.
  private static func aliasInKey(_ document: Document) -> Int? {
    let bytes = Array(document.text.utf8)
    let anchors = names(after: UInt8(ascii: "&"), in: bytes)
    guard !anchors.isEmpty, !anchors.isDisjoint(with: names(after: UInt8(ascii: "*"), in: bytes)) else { return nil }
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return lines.firstIndex(where: keyMayHoldAlias).map { document.line + $0 }
  }

  /// The words that follow `mark`, as libyaml takes the names of anchors: letters, digits, `-` and `_`.
  private static func names(after mark: UInt8, in bytes: [UInt8]) -> Set<ArraySlice<UInt8>> {
    var names: Set<ArraySlice<UInt8>> = []
    var index = bytes.startIndex
    while let found = bytes[index...].firstIndex(of: mark) {
      index = found + 1
      let name = bytes[index...].prefix {
        (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x2d || $0 == 0x5f
      }
      if !name.isEmpty { names.insert(name) }
    }
    return names
  }

  private static func keyMayHoldAlias(_ line: ArraySlice<UInt8>) -> Bool {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d }
    func opens(_ byte: UInt8) -> Bool { isSpace(byte) || "{[,-".utf8.contains(byte) }
    for index in line.indices {
      let before = line[..<index]
      switch line[index] {
      case UInt8(ascii: "?"):
        if before.last.map(opens) ?? true, line[(index + 1)...].first.map(isSpace) ?? true { return true }
      case UInt8(ascii: ":"):
        guard let last = before.last(where: { !isSpace($0) }) else { return true }
        if last == UInt8(ascii: "]") || last == UInt8(ascii: "}") { return true }
        let word = before.reversed().drop(while: isSpace).prefix { !opens($0) || $0 == UInt8(ascii: "-") }
        if word.last == UInt8(ascii: "*") { return true }
      default: break
      }
    }
    return false
  }

  private struct Conversion {
    let offset: Int
    var remaining: Int

    mutating func value(_ node: Node) throws(Failure) -> ManifestValue {
      let line = (node.mark?.line ?? 1) + offset
      remaining -= 1
      guard remaining >= 0 else {
        throw .failure(line: line, problem: "its aliases expand to too many values", advice: "write the values out")
      }
      switch node {
      case .scalar(let scalar):
        return ManifestValue(content: YAMLScalar.content(scalar), line: line)
      case .sequence(let sequence):
        var values: [ManifestValue] = []
        values.reserveCapacity(sequence.count)
        for element in sequence { values.append(try value(element)) }
        return ManifestValue(content: .list(values), line: line)
      case .mapping(let mapping):
        return ManifestValue(content: .map(try members(mapping)), line: line)
      case .alias:
        throw .failure(line: line, problem: "an alias names no anchor", advice: nil)
      }
    }

    private mutating func members(_ mapping: Node.Mapping) throws(Failure) -> [ManifestValue.Member] {
      var members: [ManifestValue.Member] = []
      var merged: [ManifestValue.Member] = []
      members.reserveCapacity(mapping.count)
      for pair in mapping {
        let line = (pair.key.mark?.line ?? 1) + offset
        guard case .scalar(let key) = pair.key else {
          throw .failure(line: line, problem: "the key of a map is not a string", advice: nil)
        }
        // The API server's reader would make "true" or "false" of it. The key's tag says nothing any more: comparing keys resolved it.
        if key.style == .plain, case .boolean = YAMLScalar.content(plain: key.string) {
          throw .failure(line: line, problem: "the key \(key.string) is a boolean in YAML", advice: "write \"\(key.string)\"")
        }
        let value = try value(pair.value)
        if key.string == "<<", key.style == .plain {
          merged += try source(of: value)
        } else {
          members.append(.init(key: key.string, line: line, value: value))
        }
      }
      guard !merged.isEmpty else { return members }
      // https://yaml.org/type/merge.html: the map's own keys win, then earlier sources over later ones.
      var known = Set(members.map(\.key))
      for member in merged where known.insert(member.key).inserted { members.append(member) }
      return members
    }

    private func source(of value: ManifestValue) throws(Failure) -> [ManifestValue.Member] {
      switch value.content {
      case .map(let members): return members
      case .list(let maps):
        var members: [ManifestValue.Member] = []
        for map in maps { members += try source(of: map) }
        return members
      default: throw .failure(line: value.line, problem: "<< merges \(value.account)", advice: "it takes a map, or a list of maps")
      }
    }
  }
}

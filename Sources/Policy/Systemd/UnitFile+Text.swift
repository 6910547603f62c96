import EgressModel

extension UnitFile {
  /// Reads the text of a unit file. Settings that have nothing to do with egress are passed over; one that would restrict it and has no effect
  /// where or how it stands is an error, since systemd only warns.
  static func read(_ text: String, path: String, location: UnitLocation) -> (file: UnitFile, errors: [ManifestError]) {
    var file = UnitFile(location: location, path: path, assignments: [], isEmpty: !text.contains { !$0.isWhitespace })
    var errors: [ManifestError] = []
    var section = ""
    for (line, content) in logicalLines(text) {
      func refuse(_ field: String, _ problem: String, _ advice: String? = nil) {
        errors.append(ManifestError(file: path, document: 1, line: line, path: field, problem: problem, advice: advice))
      }
      if content.first == "[" {
        guard content.last == "]" else {
          refuse("", "\(quoted(content)) is no section", "write [\(UnitLocation.sections[location.type] ?? "Service")]")
          continue
        }
        section = String(content.dropFirst().dropLast())
        continue
      }
      guard let equals = content.firstIndex(of: "=") else {
        refuse(section, "\(quoted(content)) is no setting", "write it like IPAddressDeny=any")
        continue
      }
      let key = content[..<equals].trimmed
      let value = content[content.index(after: equals)...].trimmed
      guard let known = keys.first(where: { $0.lowercased() == key.lowercased() }) else {
        if key.hasPrefix("IPAddress") { refuse("\(section).\(key)", "unknown setting", "known here: \(keys.joined(separator: ", "))") }
        continue
      }
      let own = UnitLocation.sections[location.type] ?? ""
      guard key == known else {
        refuse("\(section).\(key)", "unknown setting", "write \(known)")
        continue
      }
      guard section == own else {
        refuse("\(section).\(key)", "it has no effect in section [\(section)]", "move it to [\(own)]")
        continue
      }
      switch setting(key, value) {
      case .success(let setting): file.assignments.append(Assignment(setting: setting, text: "\(key)=\(value)", line: line))
      case .failure(let failure): refuse("\(section).\(key)", failure.problem, failure.advice)
      }
    }
    return (file, errors)
  }

  private static let keys = ["IPAddressAllow", "IPAddressDeny", "RestrictNetworkInterfaces", "IPEgressFilterPath", "Slice"]

  private struct Failure: Error {
    var problem: String
    var advice: String?
  }

  private static func setting(_ key: String, _ value: String) -> Result<Setting, Failure> {
    switch key {
    case "IPAddressAllow": return blocks(value).map { .allow($0) }
    case "IPAddressDeny": return blocks(value).map { .deny($0) }
    case "IPEgressFilterPath": return .success(.filter(path: value))
    case "RestrictNetworkInterfaces":
      let except = value.hasPrefix("~")
      let names = value.drop { $0 == "~" }.split(whereSeparator: \.isWhitespace).map(String.init)
      // IFNAMSIZ is 16, and alternative names have at most 127 octets.
      if let name = names.first(where: { $0.utf8.count > 127 || $0.contains("/") }) {
        return .failure(Failure(problem: "\(quoted(name)) is no name of an interface"))
      }
      return .success(.interfaces(names, except: except))
    default:
      guard value.isEmpty || value.hasSuffix(".slice") else { return .failure(Failure(problem: "\(quoted(value)) is no slice", advice: "write \(value).slice")) }
      return .success(.slice(value))
    }
  }

  /// Addresses, blocks and the names that systemd has for some; a bare address is one host.
  private static func blocks(_ value: String) -> Result<[IPPrefix], Failure> {
    var blocks: [IPPrefix] = []
    for word in value.split(whereSeparator: \.isWhitespace).map(String.init) {
      if let named = named[word] {
        blocks += named.compactMap { IPPrefix($0) }
      } else if let block = IPPrefix(word) ?? IPAddress(word).map({ IPPrefix($0) }) {
        blocks.append(block)
      } else {
        return .failure(
          Failure(problem: "\(quoted(word)) is no address and no address block", advice: "write 10.0.0.0/8, 2001:db8::1, any, localhost, link-local or multicast"))
      }
    }
    return .success(blocks)
  }

  private static let named = [
    "any": ["0.0.0.0/0", "::/0"], "localhost": ["127.0.0.0/8", "::1/128"], "link-local": ["169.254.0.0/16", "fe80::/64"],
    "multicast": ["224.0.0.0/4", "ff00::/8"],
  ]

  /// Lines that end in a backslash go on in the next; comments between do not break them.
  private static func logicalLines(_ text: String) -> [(line: Int, content: String)] {
    var lines: [(line: Int, content: String)] = []
    var open: (line: Int, content: String)?
    for (index, raw) in text.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "\n" || $0 == "\r\n" }).enumerated() {
      let line = raw.trimmed
      if line.hasPrefix("#") || line.hasPrefix(";") { continue }
      var current = open ?? (index + 1, "")
      open = nil
      current.content += line
      if line.hasSuffix("\\") {
        current.content = current.content.dropLast() + " "
        open = current
      } else if !current.content.trimmed.isEmpty {
        lines.append((current.line, current.content.trimmed))
      }
    }
    if let open, !open.content.trimmed.isEmpty { lines.append((open.line, open.content.trimmed)) }
    return lines
  }
}

extension StringProtocol {
  /// Without white space around it; a carriage return is some.
  fileprivate var trimmed: String {
    let start = drop { $0.isWhitespace }
    return String(start[..<(start.lastIndex { !$0.isWhitespace }.map { start.index(after: $0) } ?? start.startIndex)])
  }
}

import EgressModel

/// Collects what is wrong with one object while its fields are read.
package final class Problems {
  let file: String
  let document: Int
  /// For whom the object is read: some fields are there for one engine and not for another.
  let engine: Engine
  package private(set) var errors: [ManifestError] = []

  package init(file: String, document: Int, engine: Engine = .auto) {
    self.file = file
    self.document = document
    self.engine = engine
  }

  func report(_ problem: String, advice: String?, line: Int, path: FieldPath?) {
    errors.append(ManifestError(file: file, document: document, line: line, path: path?.description ?? "", problem: problem, advice: advice))
  }
}

/// The way to a field, kept as a chain so that a path is only spelled out when there is something to report.
final class FieldPath: Sendable, CustomStringConvertible {
  enum Component: Sendable {
    case member(String)
    case element(Int)
  }

  let parent: FieldPath?
  let component: Component

  init(parent: FieldPath?, component: Component) {
    self.parent = parent
    self.component = component
  }

  /// `spec.egress[0].to`; keys that are no plain words stand in brackets and quotes.
  var description: String {
    let start = parent?.description ?? ""
    switch component {
    case .element(let index): return "\(start)[\(index)]"
    case .member(let key):
      let plain = !key.isEmpty && key.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) }
      return plain ? (start.isEmpty ? key : "\(start).\(key)") : "\(start)[\(quoted(key))]"
    }
  }
}

/// A value with its place, for strict reading: every method that finds something wrong reports it and returns nil.
package struct Field {
  let value: ManifestValue
  let path: FieldPath?
  let problems: Problems

  package func refuse(_ problem: String, _ advice: String? = nil) {
    problems.report(problem, advice: advice, line: value.line, path: path)
  }

  /// The field as a map. Members that are not in `known` are reported: a field that nobody understands may be the one that narrows a rule.
  package func members(_ known: String...) -> Members? { members(among: known) }

  func members(among known: [String]) -> Members? {
    guard let members = anyMembers() else { return nil }
    for member in members.list where !known.contains(member.key) {
      problems.report(
        "unknown field", advice: "known here: \(known.joined(separator: ", "))", line: member.line,
        path: FieldPath(parent: path, component: .member(member.key)))
    }
    return members
  }

  /// The field as a map that must hold exactly one of the members that are known.
  func onlyMember(_ known: String...) -> (key: String, field: Field)? {
    guard let members = members(among: known) else { return nil }
    let present = known.compactMap { key in members[key].map { (key: key, field: $0) } }
    if present.count == 1 { return present[0] }
    let list = known.joined(separator: ", ")
    refuse(
      present.isEmpty ? "nothing is named" : "\(present.map(\.key).joined(separator: " and ")) exclude each other", "give exactly one of \(list)")
    return nil
  }

  /// A list that may not be empty where it is there, and is bounded.
  func elements(upTo limit: Int) -> [Field] {
    let fields = elements()
    if fields.isEmpty, case .list = value.content { refuse("the list is empty", "remove it, or give at least one element") }
    if fields.count > limit { refuse("\(fields.count) elements are given, at most \(limit) are allowed") }
    return fields
  }

  /// The field as a map of which only some members matter.
  func anyMembers() -> Members? {
    guard case .map(let list) = value.content else {
      refuse("a map is expected, not \(value.account)")
      return nil
    }
    return Members(list: list, field: self)
  }

  package func elements() -> [Field] {
    guard case .list(let values) = value.content else {
      refuse("a list is expected, not \(value.account)")
      return []
    }
    return values.enumerated().map { Field(value: $1, path: FieldPath(parent: path, component: .element($0)), problems: problems) }
  }

  package func string() -> String? {
    switch value.content {
    case .string(let text): return text
    case .boolean(_, let written):
      refuse("a string is expected, not the boolean \(written)", "YAML reads \(written) as a boolean: write \"\(written)\"")
    case .integer(let number): refuse("a string is expected, not the number \(number)", "write \"\(number)\"")
    case .number(let written): refuse("a string is expected, not the number \(written)", "write \"\(written)\"")
    default: refuse("a string is expected, not \(value.account)")
    }
    return nil
  }

  func integer(_ range: ClosedRange<Int64>) -> Int64? {
    guard case .integer(let number) = value.content else {
      refuse("a number is expected, not \(value.account)")
      return nil
    }
    guard range.contains(number) else {
      refuse("\(number) is not between \(range.lowerBound) and \(range.upperBound)")
      return nil
    }
    return number
  }

  /// One of a few words, with the case they have.
  func word<Word>(_ words: KeyValuePairs<String, Word>) -> Word? {
    guard let text = string() else { return nil }
    if let word = words.first(where: { $0.key == text }) { return word.value }
    let list = words.map(\.key).joined(separator: ", ")
    let near = words.first { $0.key.lowercased() == text.lowercased() }?.key
    refuse("\(quoted(text)) is none of \(list)", near.map { "write \($0)" })
    return nil
  }

  func strings() -> [String] { elements().compactMap { $0.string() } }

  /// Blocks need their prefix length, as the API server wants it; host bits are masked.
  func prefix() -> IPPrefix? {
    guard let text = string() else { return nil }
    if let prefix = IPPrefix(text) { return prefix }
    if let address = IPAddress(text) {
      refuse("\(quoted(text)) has no prefix length", "write \(IPPrefix(address))")
    } else {
      refuse("\(quoted(text)) is no address block", "write it like 10.0.0.0/8 or 2001:db8::/32")
    }
    return nil
  }

  func boolean() -> Bool? {
    if case .boolean(let value, _) = value.content { return value }
    refuse("true or false is expected, not \(value.account)")
    return nil
  }

  func stringMap() -> [String: String] {
    guard let members = anyMembers() else { return [:] }
    var map: [String: String] = [:]
    for member in members.list {
      let field = Field(value: member.value, path: FieldPath(parent: path, component: .member(member.key)), problems: problems)
      if let text = field.string() { map[member.key] = text }
    }
    return map
  }
}

/// The members of a map that is being read.
package struct Members {
  let list: [ManifestValue.Member]
  let field: Field

  /// Nil when absent or null, which mean the same.
  package subscript(key: String) -> Field? {
    guard let member = list.first(where: { $0.key == key }), !member.value.isNull else { return nil }
    return Field(value: member.value, path: FieldPath(parent: field.path, component: .member(key)), problems: field.problems)
  }

  /// Reports the member when it is missing.
  package func required(_ key: String, _ advice: String? = nil) -> Field? {
    if let member = self[key] { return member }
    missing(key).refuse("it is missing", advice)
    return nil
  }

  /// A place for a problem with a member that is not there.
  func missing(_ key: String) -> Field {
    Field(
      value: ManifestValue(content: .null, line: field.value.line), path: FieldPath(parent: field.path, component: .member(key)),
      problems: field.problems)
  }
}

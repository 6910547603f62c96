import EgressModel

/// A value of a manifest, whatever syntax it was written in, with the line it begins on.
struct ManifestValue: Sendable {
  struct Member: Sendable {
    var key: String
    var line: Int
    var value: ManifestValue
  }

  enum Content: Sendable {
    case null
    /// With the word that was written, as YAML 1.1 has eleven for each.
    case boolean(Bool, written: String)
    case integer(Int64)
    case number(written: String)
    case string(String)
    case list([ManifestValue])
    case map([Member])
  }

  var content: Content
  var line: Int

  var isNull: Bool {
    if case .null = content { true } else { false }
  }

  /// The member of a map; nil when absent or null, which mean the same to the API server.
  subscript(key: String) -> ManifestValue? {
    guard case .map(let members) = content, let value = members.first(where: { $0.key == key })?.value, !value.isNull else { return nil }
    return value
  }

  var string: String? {
    if case .string(let text) = content { text } else { nil }
  }

  /// For messages: `the string "x"`, `the number 80`, `a list` …
  var account: String {
    switch content {
    case .null: "null"
    case .boolean(_, let written): "the boolean \(written)"
    case .integer(let value): "the number \(value)"
    case .number(let written): "the number \(written)"
    case .string(let text): "the string \(quoted(text))"
    case .list: "a list"
    case .map: "a map"
    }
  }
}

/// Text from a manifest, fit for a message: escaped, in quotes, at most 60 characters.
func quoted(_ text: String) -> String {
  JSONValue.string(text.count > 60 ? text.prefix(60) + "…" : text).text
}

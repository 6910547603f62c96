import EgressModel

/// Writes YAML line by line, two spaces a level.
package struct YAMLWriter {
  private(set) var text = ""
  private var depth = 0

  mutating func line(_ content: String) {
    text += String(repeating: " ", count: depth * 2) + content + "\n"
  }

  /// A comment of one line, whatever is in it.
  mutating func comment(_ remark: String) {
    line("# " + String(String.UnicodeScalarView(remark.unicodeScalars.map { $0.properties.generalCategory == .control || $0.properties.isWhitespace ? " " : $0 })))
  }

  mutating func nested(_ body: (inout YAMLWriter) -> Void) {
    depth += 1
    body(&self)
    depth -= 1
  }

  /// Without quotes where every reader takes it for a string.
  package static func scalar(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy {
      switch $0 {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "/"): true
      default: false
      }
    }
    if isPlain, let first = text.utf8.first, first != UInt8(ascii: "-"), case .string = YAMLScalar.content(plain: text) { return text }
    return JSONValue.string(text).text
  }

  /// `{app: web, tier: front}`
  static func flow(_ labels: [String: String]) -> String {
    "{" + labels.sorted { $0.key < $1.key }.map { "\(scalar($0.key)): \(scalar($0.value))" }.joined(separator: ", ") + "}"
  }
}

/// What text from strangers goes through on its way out: one function per kind of reader.
///
/// Domain names are printable ASCII already (`DomainName`); workload names, rule summaries and reasons come from manifests and are not.
public enum Escaping {
  /// For a terminal or a log: whatever moves a cursor, starts an escape sequence, changes the direction of text or hides becomes visible,
  /// `\x1b` below 256 and `\u{202e}` above. A line break is one of these, so that a text stays on its line.
  public static func terminal(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
    return replacing(text) { isUnsafe($0) ? visible($0) : nil }
  }

  /// One field of [RFC 4180](https://www.rfc-editor.org/rfc/rfc4180), quoted where needed, that no spreadsheet takes for a formula:
  /// text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return gets a `'` before it.
  public static func csv(_ text: String) -> String {
    var field = terminal(text)
    // Tab and carriage return are escaped by now; full-width forms are what some spreadsheets fold to the plain ones.
    if let first = text.unicodeScalars.first, "=+-@\t\r\n\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".unicodeScalars.contains(first) { field = "'" + field }
    guard field.utf8.contains(where: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") }) else { return field }
    return "\"" + replacing(field) { $0 == "\"" ? "\"\"" : nil } + "\""
  }

  /// One cell of a Markdown table. Text that a renderer could take for anything but text (a link, a mention, HTML, a reference to an
  /// issue) becomes a code span, in which nothing is interpreted.
  public static func markdownCell(_ text: String) -> String {
    let visible = terminal(text)
    if isPlainMarkdown(visible) { return visible }
    var longestRun = 0
    var run = 0
    for byte in visible.utf8 {
      run = byte == UInt8(ascii: "`") ? run + 1 : 0
      longestRun = max(longestRun, run)
    }
    let fence = String(repeating: "`", count: longestRun + 1)
    // CommonMark strips one space from both ends, which a text that begins or ends with a backtick needs. In a table a pipe ends
    // the cell even inside a code span; GFM takes the backslash away before it looks at spans.
    let pad = longestRun > 0 ? " " : ""
    return fence + pad + replacing(visible) { $0 == "|" ? "\\|" : nil } + pad + fence
  }

  /// Element content and quoted attribute values of HTML.
  public static func html(_ text: String) -> String { markup(terminal(text)) }

  /// Element content and quoted attribute values of XML 1.0. Characters that XML cannot hold, not even as a reference, become visible.
  public static func xml(_ text: String) -> String { markup(terminal(text)) }

  /// The value of a label in Prometheus' text format, without its quotes.
  public static func prometheusLabel(_ text: String) -> String {
    replacing(text) { scalar in
      switch scalar {
      case "\\": "\\\\"
      case "\"": "\\\""
      case "\n": "\\n"
      default: nil
      }
    }
  }

  /// The help line of a metric, where quotes stand for themselves.
  public static func prometheusHelp(_ text: String) -> String {
    replacing(text) { $0 == "\\" ? "\\\\" : $0 == "\n" ? "\\n" : nil }
  }

  private static func markup(_ text: String) -> String {
    replacing(text) { scalar in
      switch scalar {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      case "\"": "&quot;"
      case "'": "&#39;"
      default: nil
      }
    }
  }

  // By scalar, never by character: to Swift a quote with a combining mark after it is one character that is no quote.
  private static func replacing(_ text: String, _ replacement: (Unicode.Scalar) -> String?) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if let text = replacement(scalar) { result.append(contentsOf: text.unicodeScalars) } else { result.append(scalar) }
    }
    return String(result)
  }

  private static func isPlainMarkdown(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy { scalar in
      scalar.isASCII
        ? scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || " .,:/()+-%".unicodeScalars.contains(scalar) : scalar == "→"
    } && !text.contains("www.") && !text.contains("://")
  }

  private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7f..<0xa0: true
    case 0x20..<0x7f: false
    // XML 1.0 has no place for these two.
    case 0xfffe, 0xffff: true
    default:
      switch scalar.properties.generalCategory {
      // Format characters: bidirectional controls, zero-width characters, tags. Separators: line and paragraph.
      case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate: true
      default: false
      }
    }
  }

  private static func visible(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    return scalar.value < 0x100 ? "\\x" + (digits.utf8.count == 1 ? "0" : "") + digits : "\\u{\(digits)}"
  }
}

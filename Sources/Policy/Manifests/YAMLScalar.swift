import Yams

/// Which type an unquoted YAML scalar has, by the rules of YAML 1.1 as the API server's reader (go-yaml) applies them.
enum YAMLScalar {
  static func content(_ scalar: Node.Scalar) -> ManifestValue.Content {
    let tag = scalar.tag.description
    guard scalar.style == .plain, tag != "tag:yaml.org,2002:str", tag != "!" else { return .string(scalar.string) }
    return content(plain: scalar.string)
  }

  static func content(plain text: String) -> ManifestValue.Content {
    guard let first = text.utf8.first else { return .null }
    // Only these octets begin anything but a string.
    switch first {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): return numeric(text)
    case UInt8(ascii: "~"): return text == "~" ? .null : .string(text)
    default: break
    }
    switch text {
    case "null", "Null", "NULL": return .null
    case "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON": return .boolean(true, written: text)
    case "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF": return .boolean(false, written: text)
    default: return .string(text)
    }
  }

  private static func numeric(_ text: String) -> ManifestValue.Content {
    let plain = text.contains("_") ? text.filter { $0 != "_" } : text
    if let value = Int64(plain), plain.utf8.first != UInt8(ascii: "0") || plain == "0" { return .integer(value) }
    let sign: Int64 = plain.hasPrefix("-") ? -1 : 1
    let digits = plain.hasPrefix("-") || plain.hasPrefix("+") ? plain.dropFirst() : plain[...]
    for (prefix, radix) in [("0x", 16), ("0b", 2), ("0o", 8), ("0", 8)] where digits.hasPrefix(prefix) {
      let rest = digits.dropFirst(prefix.count)
      if rest.utf8.first != UInt8(ascii: "-"), rest.utf8.first != UInt8(ascii: "+"), let value = Int64(rest, radix: radix) {
        return .integer(sign * value)
      }
    }
    switch text {
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN": return .number(written: text)
    default: break
    }
    // [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
    let shape = digits.utf8.allSatisfy {
      (0x30...0x39).contains($0) || [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "-"), UInt8(ascii: "+")].contains($0)
    }
    return shape && Double(String(digits.hasSuffix(".") ? digits.dropLast() : digits)) != nil ? .number(written: text) : .string(text)
  }
}

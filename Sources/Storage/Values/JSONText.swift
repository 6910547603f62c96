import EgressModel

/// Writes the JSON of columns that every flow has, without a tree in between: it is on the way of every batch.
struct JSONText {
  private(set) var bytes: [UInt8] = []

  mutating func clear() { bytes.removeAll(keepingCapacity: true) }

  mutating func write(_ names: [NameEvidence]) {
    literal("[")
    var isFirst = true
    for name in names {
      literal(isFirst ? "{\"name\":" : ",{\"name\":")
      isFirst = false
      string(name.name.text)
      literal(",\"source\":")
      string(name.source.rawValue)
      literal(",\"confidence\":")
      string(name.confidence.rawValue)
      if !name.chain.isEmpty {
        literal(",\"chain\":")
        list(name.chain) { $0.text }
      }
      literal("}")
    }
    literal("]")
  }

  mutating func write(_ tls: TLSFacts) {
    literal("{\"ech\":")
    string(tls.ech.rawValue)
    if let sni = tls.sni { member(",\"sni\":", sni.text) }
    if let version = tls.version { member(",\"version\":", version) }
    if let ja4 = tls.ja4 { member(",\"ja4\":", ja4) }
    if !tls.alpn.isEmpty {
      literal(",\"alpn\":")
      list(tls.alpn) { $0 }
    }
    literal("}")
  }

  mutating func write(_ texts: [String]) { list(texts) { $0 } }

  mutating func write(_ value: JSONValue) { value.write(to: &bytes) }

  private mutating func list<Element>(_ elements: [Element], _ text: (Element) -> String) {
    literal("[")
    var isFirst = true
    for element in elements {
      if !isFirst { literal(",") }
      isFirst = false
      string(text(element))
    }
    literal("]")
  }

  private mutating func member(_ key: StaticString, _ text: String) {
    literal(key)
    string(text)
  }

  private mutating func literal(_ text: StaticString) {
    unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  private mutating func string(_ text: String) {
    var text = text
    let start = bytes.count
    bytes.append(UInt8(ascii: "\""))
    let isPlain = text.withUTF8 { utf8 in
      unsafe bytes.append(contentsOf: utf8)
      // Without an early exit the loop is vectorised; nearly every text is plain.
      var needsEscape = false
      for unsafe byte in unsafe utf8 {
        needsEscape = needsEscape || byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7f
      }
      return !needsEscape
    }
    if isPlain { return bytes.append(UInt8(ascii: "\"")) }
    bytes.removeSubrange(start...)
    JSONValue.string(text).write(to: &bytes)
  }
}

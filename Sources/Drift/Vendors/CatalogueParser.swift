import EgressModel

/// Reads the lines of one catalogue file.
struct CatalogueParser {
  private let source: VendorCatalogue.Source

  init(_ source: VendorCatalogue.Source) { self.source = source }

  func entries() throws(DriftError) -> [Substring: VendorCatalogue.Entry] {
    var entries: [Substring: VendorCatalogue.Entry] = [:]
    var lines: [Substring: Int] = [:]
    var number = 0
    // A line may end in CR LF, which Swift takes for one character: cut at the octets.
    for raw in source.text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      let line = raw.last == UInt8(ascii: "\r") ? raw.dropLast() : raw
      guard line.contains(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }), line.first != UInt8(ascii: "#") else { continue }
      let (suffix, entry) = try entry(line, number)
      if let first = lines.updateValue(number, forKey: suffix) {
        throw error(number, "'\(suffix)' is already on line \(first)")
      }
      entries[suffix] = entry
    }
    return entries
  }

  private func entry(_ line: Substring.UTF8View, _ number: Int) throws(DriftError) -> (Substring, VendorCatalogue.Entry) {
    let columns = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false).map(Substring.init)
    guard (3...4).contains(columns.count) else {
      throw error(number, "\(columns.count) column\(columns.count == 1 ? "" : "s") where there must be 3 or 4")
    }
    let suffix = DomainName(presentation: String(columns[0])).text[...]
    let labels = suffix.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard labels.allSatisfy({ (1...63).contains($0.count) && $0.allSatisfy(Self.isHostOctet) }), suffix.utf8.count <= 253 else {
      throw error(number, "'\(DomainName(octets: columns[0].utf8)?.text ?? "")' is not a domain name (no wildcard: what lies below is included)")
    }
    guard labels.count > 1 else {
      throw error(number, "'\(suffix)' is a whole top-level domain")
    }
    guard !columns[1].isEmpty, columns[1].unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
      throw error(number, "'\(suffix)' has no vendor name, or one with control characters")
    }
    guard !columns[2].isEmpty, columns[2].utf8.allSatisfy({ Self.isHostOctet($0) && $0 != UInt8(ascii: "_") }) else {
      throw error(number, "the category of '\(suffix)' must be one lower-case word, such as 'payments'")
    }
    var isManyTenant = false
    for flag in (columns.count == 4 ? columns[3] : "").split(whereSeparator: { $0 == "," || $0 == " " }) {
      guard flag == "many-tenant" else {
        throw error(number, "unknown flag '\(DomainName(octets: flag.utf8)?.text ?? "")' (known: many-tenant)")
      }
      isManyTenant = true
    }
    return (suffix, VendorCatalogue.Entry(vendor: String(columns[1]), category: String(columns[2]), isManyTenant: isManyTenant))
  }

  private func error(_ line: Int, _ problem: String) -> DriftError {
    .catalogue(file: source.file, line: line, problem: problem)
  }

  private static func isHostOctet(_ octet: UInt8) -> Bool {
    switch octet {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
    default: false
    }
  }
}

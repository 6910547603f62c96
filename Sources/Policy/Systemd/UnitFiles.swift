import EgressModel

/// The unit files of a host, and what they make of a unit: its own file or its template's, then its drop-ins.
struct UnitFiles: Sendable {
  /// By unit.
  private var main: [String: UnitFile] = [:]
  /// By directory, then by file.
  private var dropIns: [String: [String: UnitFile]] = [:]

  var files: [UnitFile] { Array(main.values) + dropIns.values.flatMap(\.values) }
  var isEmpty: Bool { main.isEmpty && dropIns.isEmpty }

  /// Of two files of one name the one in the directory that comes first counts, as for systemd; in one directory there cannot be two.
  mutating func add(_ file: UnitFile) -> ManifestError? {
    let known = file.location.dropIn.map { dropIns[file.location.unit]?[$0] } ?? main[file.location.unit]
    if let known {
      if known.location.rank == file.location.rank, known.path != file.path {
        return ManifestError(
          file: file.path, document: 1, line: 1, problem: "\(file.location) is already defined at \(known.path)",
          advice: "keep one of them, or give both under the directories that systemd reads them from")
      }
      if known.location.rank < file.location.rank { return nil }
    }
    if let dropIn = file.location.dropIn {
      dropIns[file.location.unit, default: [:]][dropIn] = file
    } else {
      main[file.location.unit] = file
    }
    return nil
  }

  /// What is read for a unit, in order (systemd.unit(5)).
  func chain(_ unit: String) -> [UnitFile] {
    let own = main[unit] ?? Self.template(of: unit).flatMap { main[$0] }
    var merged: [String: UnitFile] = [:]
    // Of drop-ins of one name the one nearest to the unit counts.
    for directory in Self.directories(of: unit).reversed() {
      for (name, file) in dropIns[directory] ?? [:] { merged[name] = file }
    }
    return [own].compactMap(\.self) + merged.sorted { $0.key < $1.key }.map(\.value)
  }

  /// `app@.service` for `app@one.service`; nil for what is no instance.
  static func template(of unit: String) -> String? {
    guard let at = unit.firstIndex(of: "@"), let dot = unit.lastIndex(of: "."), unit.index(after: at) < dot else { return nil }
    return String(unit[...at]) + unit[dot...]
  }

  /// Whose drop-ins a unit takes, the nearest first: its own, its template's, those of each prefix that ends in a dash, those of its type.
  private static func directories(of unit: String) -> [String] {
    guard let dot = unit.lastIndex(of: ".") else { return [unit] }
    let type = unit[unit.index(after: dot)...]
    var directories = [unit] + (template(of: unit).map { [$0] } ?? [])
    var prefix = unit[..<(unit.firstIndex(of: "@") ?? dot)]
    if prefix.last == "-" { prefix = prefix.dropLast() }
    while let dash = prefix.lastIndex(of: "-"), dash > prefix.startIndex {
      directories.append("\(prefix[...dash]).\(type)")
      prefix = prefix[..<dash]
    }
    return directories + [String(type)]
  }
}

extension UnitFiles {
  /// The slices that a unit is in, the innermost first, ending with the root (`-.slice`).
  func slices(of unit: String) -> [String] {
    var slice: String?
    if unit.hasSuffix(".slice") {
      slice = Self.parent(of: unit)
    } else {
      var named = ""
      for case .slice(let name) in chain(unit).flatMap(\.assignments).map(\.setting) { named = name }
      slice = named.isEmpty ? Self.defaultSlice(of: unit) : Self.expand(named, for: unit)
    }
    var slices: [String] = []
    while let name = slice {
      slices.append(name)
      slice = Self.parent(of: name)
    }
    return slices
  }

  private static func parent(of slice: String) -> String? {
    guard slice != "-.slice" else { return nil }
    let name = slice.dropLast(".slice".count)
    return name.lastIndex(of: "-").map { "\(name[..<$0]).slice" } ?? "-.slice"
  }

  private static func defaultSlice(of unit: String) -> String {
    if unit == "init.scope" { return "-.slice" }
    guard template(of: unit) != nil, let at = unit.firstIndex(of: "@"), let dot = unit.lastIndex(of: ".") else { return "system.slice" }
    // Its unit file says so, and is seldom given.
    if unit.hasPrefix("user@") { return "user-\(unit[unit.index(after: at)..<dot]).slice" }
    let prefix = unit[..<at].map { $0 == "-" ? "\\x2d" : String($0) }.joined()
    return "system-\(prefix).slice"
  }

  /// The specifiers that name the unit itself (systemd.unit(5)).
  private static func expand(_ text: String, for unit: String) -> String {
    let dot = unit.lastIndex(of: ".") ?? unit.endIndex
    let name = unit[..<dot]
    let at = name.firstIndex(of: "@")
    let values: [Character: Substring] = [
      "i": at.map { name[name.index(after: $0)...] } ?? "", "p": name[..<(at ?? name.endIndex)], "N": name, "n": unit[...], "%": "%",
    ]
    var result = ""
    var rest = text[...]
    while let percent = rest.firstIndex(of: "%") {
      result += rest[..<percent]
      rest = rest[rest.index(after: percent)...]
      guard let letter = rest.popFirst() else { return result + "%" }
      result += values[letter].map(String.init) ?? "%\(letter)"
    }
    return result + rest
  }
}

import EgressModel

/// One unit file or drop-in of systemd, as far as its settings bear on egress.
/// ([systemd.syntax](https://www.freedesktop.org/software/systemd/man/systemd.syntax.html),
/// [systemd.resource-control](https://www.freedesktop.org/software/systemd/man/systemd.resource-control.html))
struct UnitFile: Sendable {
  enum Setting: Hashable, Sendable {
    /// `IPAddressAllow=`; empty: forget those before.
    case allow([IPPrefix])
    /// `IPAddressDeny=`; empty: forget those before.
    case deny([IPPrefix])
    /// `RestrictNetworkInterfaces=`, `except` when it begins with `~`; empty: forget those before.
    case interfaces([String], except: Bool)
    /// `IPEgressFilterPath=`: a program that nobody here can read; empty: forget those before.
    case filter(path: String)
    /// `Slice=`; empty: the default.
    case slice(String)
  }

  struct Assignment: Hashable, Sendable {
    var setting: Setting
    /// `IPAddressDeny=any`, as it was written.
    var text: String
    var line: Int
  }

  var location: UnitLocation
  /// What errors and reports call the file.
  var path: String
  var assignments: [Assignment]
  /// A file without content masks the unit, or the drop-ins of its name.
  var isEmpty: Bool

  func reference(_ index: Int) -> RuleReference { RuleReference(policy: "systemd/\(location)", rule: index) }
}

extension UnitFile {
  var rules: [RuleDescription] {
    assignments.enumerated().compactMap { index, assignment in
      guard let summary = assignment.setting.summary else { return nil }
      return RuleDescription(
        reference: reference(index), summary: summary, width: assignment.setting.width, denies: assignment.setting.denies, file: path,
        document: 1, line: assignment.line)
    }
  }
}

extension UnitFile.Setting {
  /// Nil for what is no rule.
  var summary: String? {
    switch self {
    case .allow([]), .deny([]), .interfaces([], _), .filter(""), .slice: nil
    case .allow(let blocks): "to \(blocks.map(\.description).joined(separator: " or "))"
    case .deny(let blocks): "deny to \(blocks.map(\.description).joined(separator: " or "))"
    case .interfaces(let names, false): "only through \(names.joined(separator: " or "))"
    case .interfaces(let names, true): "not through \(names.joined(separator: " or "))"
    case .filter(let path): "filtered by \(path)"
    }
  }

  var denies: Bool {
    if case .allow = self { false } else { true }
  }

  /// These lists know no ports, so every port is not held against them.
  var width: String? {
    guard case .allow(let blocks) = self else { return nil }
    return blocks.lazy.compactMap { $0.width(everyPort: false) }.first
  }
}

/// Where a unit file stands, by its path alone: whose it is, and which of two of one name counts.
struct UnitLocation: Hashable, Sendable, CustomStringConvertible {
  /// `nginx.service`; for a drop-in the name of its directory without `.d`: `nginx.service`, `app-.service`, `app@.service`, `service`.
  var unit: String
  /// The file of a drop-in.
  var dropIn: String?
  /// The smaller, the more it counts; directories that systemd does not read share the last place.
  var rank: Int

  var description: String { dropIn.map { "\(unit).d/\($0)" } ?? unit }

  /// The types that have settings for resource control, and whose section these stand in.
  static let sections = ["service": "Service", "slice": "Slice", "scope": "Scope", "socket": "Socket", "mount": "Mount", "swap": "Swap"]

  var type: String { String(unit.split(separator: ".").last ?? "") }

  /// Nil for a file that systemd would not take for a unit's: by its name, or because it stands in a directory of links (`X.target.wants`).
  init?(path: String) {
    let parts = path.split(separator: "/").map(String.init)
    guard let file = parts.last else { return nil }
    let directory = parts.dropLast().last ?? ""
    guard ![".wants", ".requires", ".upholds"].contains(where: directory.hasSuffix) else { return nil }
    if file.hasSuffix(".conf"), directory.hasSuffix(".d") {
      unit = String(directory.dropLast(2))
      dropIn = file
    } else {
      unit = file
      guard file.contains(".") else { return nil }
    }
    rank = Self.directories.count
    guard Self.sections[type] != nil, unit.first != "." else { return nil }
    rank = Self.directories.firstIndex { "/\(path)".contains("/\($0)/") } ?? rank
  }

  /// Where systemd's own manager looks, in the order of precedence (systemd.unit(5)).
  private static let directories = [
    "etc/systemd/system.control", "run/systemd/system.control", "run/systemd/transient", "run/systemd/generator.early", "etc/systemd/system",
    "etc/systemd/system.attached", "run/systemd/system", "run/systemd/system.attached", "run/systemd/generator", "usr/local/lib/systemd/system",
    "usr/lib/systemd/system", "lib/systemd/system", "run/systemd/generator.late",
  ]
}

import EgressModel

/// A drop-in for a unit, which knows addresses alone: no names, no ports.
enum SystemdWriter {
  static func path(_ unit: String) -> String { "/etc/systemd/system/\(unit).d/50-observed-egress.conf" }

  static func write(_ draft: SuggestionDraft, to text: inout YAMLWriter) {
    let section = UnitLocation.sections[draft.unit.split(separator: ".").last.map(String.init) ?? ""] ?? "Service"
    text.line("[\(section)]")
    text.line("IPAddressDeny=any")
    for observed in draft.rules.flatMap(\.peers) {
      text.comment(observed.comment)
      text.line("IPAddressAllow=\(observed.peer.prefix?.description ?? "")")
    }
  }
}

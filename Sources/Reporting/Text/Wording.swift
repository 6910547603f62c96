import Drift
import EgressModel

// The words that several listings share.

extension NameSource {
  /// For a column: TLS and QUIC say a name in the same place.
  var shortName: String {
    switch self {
    case .tlsSNI, .quicSNI: "sni"
    case .httpHost: "host"
    case .httpConnect: "connect"
    case .socks: "socks"
    case .dns: "dns"
    case .certificate: "cert"
    case .ptr: "ptr"
    }
  }
}

extension NameEvidence {
  /// `sni`; `dns (shared)` when several names fit; `ptr host.example.net?` for a hint, which is no name.
  var wording: String {
    switch confidence {
    case .confirmed, .resolved: source.shortName
    case .shared: "\(source.shortName) (shared)"
    case .hint: "\(source.shortName) \(name)?"
    }
  }
}

extension NamingGap {
  var wording: String { self == .encryptedHello ? "ECH" : rawValue }
}

extension Verdict {
  /// The rules that decided or came nearest.
  var ruleWording: String? {
    if !by.isEmpty { return by.map(\.shortName).joined(separator: " ") }
    return nearest.map { "nearest \($0.shortName)" }
  }
}

extension Verdict.Decision {
  var colour: Colour? {
    switch self {
    case .allowed: .green
    case .denied: .red
    case .unprotected, .undecidable: .yellow
    }
  }
}

extension Severity {
  var colour: Colour? {
    switch self {
    case .info: .cyan
    case .warning: .yellow
    case .critical: .red
    }
  }
}

extension Sequence where Element == String {
  /// For one field that holds a list; nil when there is nothing in it.
  var listWording: String? {
    let text = joined(separator: " ")
    return text.isEmpty ? nil : text
  }
}

/// What is fuzzed. An input that traps, breaks a promise (`demand`), takes too long or too much memory is a finding.
enum Target: String, CaseIterable {
  case packet, dns, tls, quic, http, socks, openings, meter

  static var list: String { allCases.map(\.rawValue).joined(separator: " ") }

  func run(_ bytes: Span<UInt8>) {
    switch self {
    case .packet: PacketTarget.run(bytes)
    case .dns: DNSTarget.run(bytes)
    case .tls: TLSTarget.run(bytes)
    case .quic: QUICTarget.run(bytes)
    case .http: HTTPTarget.run(bytes)
    case .socks: SOCKSTarget.run(bytes)
    case .openings: OpeningsTarget.run(bytes)
    case .meter: MeterTarget.run(bytes)
    }
  }
}

/// Ends the run, as a trap does, where a promise does not hold.
func demand(_ condition: Bool, _ promise: @autoclosure () -> String) {
  // Unlike a precondition it says in a release build which one it was.
  if !condition { fatalError("broken promise: \(promise())") }
}

public import EgressModel

/// Who talks to what, as one line of a report: the addresses of one name and the pods of one controller are one subject.
public struct Subject: Hashable, Sendable {
  /// `Workload.group`.
  public var group: String
  /// `Workload.shortName`.
  public var workload: String
  /// `Destination.label`.
  public var destination: String
  public var transport: Transport

  public init(workload: Workload, destination: Destination) {
    group = workload.group
    self.workload = workload.shortName
    self.destination = destination.label
    transport = destination.transport
  }

  public static func == (a: Subject, b: Subject) -> Bool {
    a.group == b.group && a.destination == b.destination && a.transport == b.transport
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(group)
    hasher.combine(destination)
    hasher.combine(transport)
  }
}

extension Subject: Comparable, CustomStringConvertible {
  public static func < (a: Subject, b: Subject) -> Bool {
    (a.group, a.destination, a.transport.rawValue) < (b.group, b.destination, b.transport.rawValue)
  }

  /// `shop/web → api.segment.io:443`, with the transport where it is not TCP.
  public var description: String {
    "\(workload) → \(destination)" + (transport == .tcp ? "" : "/\(transport)")
  }
}

extension Destination {
  /// The most trusted name that is more than a hint and more than an address spelt out.
  public var provenName: NameEvidence? {
    names.first.flatMap { $0.confidence == .hint || IPAddress($0.name.text) != nil ? nil : $0 }
  }

  /// For a line of a report: `api.segment.io:443`, or the address and port of what nothing names.
  public var label: String {
    guard let name = provenName?.name else { return SocketAddress(ip: address, port: port).description }
    return port.map { "\(name):\($0)" } ?? name.text
  }
}

extension Finding {
  /// Nil for findings about a rule alone.
  public var subject: Subject? {
    guard let workload, let destination else { return nil }
    return Subject(workload: workload, destination: destination)
  }
}

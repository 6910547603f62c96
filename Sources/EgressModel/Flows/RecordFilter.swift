/// Which records a person asked for: the same words on every command that lists.
///
/// Criteria of one kind are alternatives (`--port 443 --port 80`), criteria of different kinds must all hold, and
/// none of the excluded ones may.
public struct RecordFilter: Sendable {
  public enum Criterion: Hashable, Sendable {
    case namespace(String)
    /// `KIND/NAME`; the kind is compared without case (`deployment/web`, `pod/web-1`, `systemd/nginx.service`).
    case workload(kind: String?, name: String)
    /// A lower-case glob over the destination's names and its address.
    case name(Glob)
    /// A lower-case glob over the vendor's name, whose case does not count.
    case vendor(Glob)
    case port(UInt16)
    case transport(Transport)
    case verdict(Verdict.Decision)
    case finding(FindingKind)

    var isAboutFindings: Bool {
      if case .finding = self { true } else { false }
    }

    /// Criteria with the same rank are alternatives.
    var rank: Int {
      switch self {
      case .namespace: 0
      case .workload: 1
      case .name: 2
      case .vendor: 3
      case .port: 4
      case .transport: 5
      case .verdict: 6
      case .finding: 7
      }
    }
  }

  /// Records that ended before this moment are left out.
  public var since: Timestamp?
  /// Records that began at this moment or later are left out.
  public var until: Timestamp?
  /// At most so many, the newest.
  public var last: Int?
  public var including: [Criterion]
  public var excluding: [Criterion]

  public init(since: Timestamp? = nil, until: Timestamp? = nil, last: Int? = nil, including: [Criterion] = [], excluding: [Criterion] = []) {
    self.since = since
    self.until = until
    self.last = last
    self.including = including
    self.excluding = excluding
  }

  /// The same without the criteria about findings, for records that findings are yet to be made of.
  public var ignoringFindings: RecordFilter {
    var filter = self
    filter.including.removeAll(where: \.isAboutFindings)
    filter.excluding.removeAll(where: \.isAboutFindings)
    return filter
  }

  /// What the criteria about findings, and they alone, say of a kind.
  public func admits(_ kind: FindingKind) -> Bool {
    let wanted = including.filter(\.isAboutFindings)
    return (wanted.isEmpty || wanted.contains(.finding(kind))) && !excluding.contains(.finding(kind))
  }

  /// Whether anything but time narrows it.
  public var hasCriteria: Bool { !including.isEmpty || !excluding.isEmpty }

  /// What of a record the criteria look at.
  public struct Subject {
    var workload: Workload?
    var names: [DomainName]
    var address: IPAddress?
    var vendor: Vendor?
    var port: UInt16?
    var transport: Transport?
    var decision: Verdict.Decision?
    var findings: [FindingKind]
    var start: Timestamp?
    var end: Timestamp?
  }

  public func matches(_ subject: Subject) -> Bool {
    if let since, let end = subject.end, end < since { return false }
    if let until, let start = subject.start, start >= until { return false }
    if excluding.contains(where: { holds($0, for: subject) }) { return false }
    var wanted = 0
    var met = 0
    for criterion in including {
      wanted |= 1 << criterion.rank
      if met & 1 << criterion.rank == 0, holds(criterion, for: subject) { met |= 1 << criterion.rank }
    }
    return met == wanted
  }

  private func holds(_ criterion: Criterion, for subject: Subject) -> Bool {
    switch criterion {
    case .namespace(let namespace): subject.workload?.namespace == namespace
    case .workload(let kind, let name): subject.workload.map { Self.matches($0, kind: kind, name: name) } ?? false
    case .name(let glob): subject.names.contains { glob.matches($0.text) } || subject.address.map { glob.matches($0.description) } ?? false
    case .vendor(let glob): subject.vendor.map { glob.matches($0.name.lowercased()) } ?? false
    case .port(let port): subject.port == port
    case .transport(let transport): subject.transport == transport
    case .verdict(let decision): subject.decision == decision
    case .finding(let kind): subject.findings.contains(kind)
    }
  }

  private static func matches(_ workload: Workload, kind: String?, name: String) -> Bool {
    let own = (kind == nil || workload.kind.rawValue == kind?.lowercased()) && workload.name == name
    let owner = workload.owner.map { (kind == nil || $0.kind.lowercased() == kind?.lowercased()) && $0.name == name } ?? false
    return own || owner
  }
}

extension FlowRecord {
  public var filterSubject: RecordFilter.Subject {
    RecordFilter.Subject(
      workload: workload, names: names.map(\.name), address: destination.ip, vendor: vendor, port: destination.port, transport: transport,
      decision: verdict?.decision, findings: findings, start: start, end: end)
  }
}

extension Endpoint {
  public var filterSubject: RecordFilter.Subject {
    RecordFilter.Subject(
      workload: workload, names: name.map { [$0.name] } ?? [], address: address, vendor: vendor, port: port, transport: transport,
      decision: verdict?.decision, findings: [], start: firstSeen, end: lastSeen)
  }
}

extension Finding {
  public var filterSubject: RecordFilter.Subject {
    RecordFilter.Subject(
      workload: workload, names: destination?.names.map(\.name) ?? [], address: destination?.address, vendor: vendor, port: destination?.port,
      transport: destination?.transport, decision: nil, findings: [kind], start: firstSeen, end: lastSeen)
  }
}

extension NameRecord {
  public var filterSubject: RecordFilter.Subject {
    RecordFilter.Subject(
      workload: Workload(address: client), names: [name] + chain, address: addresses.first, vendor: nil, port: nil, transport: nil, decision: nil,
      findings: [], start: time, end: time)
  }
}

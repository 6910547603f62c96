public import EgressModel

/// One third party of a window: a vendor of the catalogue, else a registrable domain, else all that nothing names.
public struct VendorSummary: Equatable, Sendable {
  /// What the policies say of everything that goes there; the gravest case when they say several things.
  public enum Standing: Equatable, Sendable {
    /// Nothing was judged.
    case unjudged
    case allowed(RuleReference)
    case undecidable
    /// Only by wide rules; what is wide about them (`0.0.0.0/0`).
    case wide(String)
    case unprotected
    case denied
  }

  /// The catalogue's name.
  public var vendor: String?
  public var category: String?
  /// The registrable domain with the most bytes; nil when nothing names the destination.
  public var domain: DomainName?
  /// The groups of the workloads (`Workload.group`), in order.
  public var workloads: [String]
  public var flows: UInt64
  public var bytes: FlowCounterPair
  public var standing: Standing
  /// Flows by the source of their name, hints left out.
  public var namedBy: [NameSource: UInt64]
  /// Flows without a name, by reason.
  public var unnamed: [NamingGap: UInt64]

  /// `Stripe`, `segment.io`, `(unnamed)`.
  public var title: String { vendor ?? domain?.text ?? "(unnamed)" }

  init(vendor: String?, category: String?, domain: DomainName?) {
    self.vendor = vendor
    self.category = category
    self.domain = domain
    workloads = []
    flows = 0
    bytes = FlowCounterPair()
    standing = .unjudged
    namedBy = [:]
    unnamed = [:]
  }
}

extension VendorSummary.Standing {
  fileprivate var gravity: Int {
    switch self {
    case .unjudged: 0
    case .allowed: 1
    case .undecidable: 2
    case .wide: 3
    case .unprotected: 4
    case .denied: 5
    }
  }

  init(_ endpoint: Endpoint, detector: FindingDetector) {
    self =
      switch endpoint.verdict?.decision {
      case nil: .unjudged
      case .denied?: .denied
      case .unprotected?: .unprotected
      case .undecidable?: .undecidable
      case .allowed?:
        if let width = detector.width(of: endpoint) {
          .wide(width)
        } else if let rule = endpoint.verdict?.by.first {
          .allowed(rule)
        } else {
          .undecidable
        }
      }
  }
}

/// Adds endpoints up to `VendorSummary` rows.
struct VendorSummaries {
  private let detector: FindingDetector
  private var rows: [String: VendorSummary] = [:]
  private var groups: [String: Set<String>] = [:]
  private var domainBytes: [String: [DomainName: UInt64]] = [:]
  /// Names repeat, and the public suffix list is slow to ask.
  private var registrableDomains: [DomainName: DomainName] = [:]

  init(detector: FindingDetector) { self.detector = detector }

  /// Everything external counts, and of private addresses those with a name: a vendor behind a private link is still a vendor.
  /// `group` is the workload's.
  mutating func add(_ endpoint: Endpoint, group: String) {
    let name = endpoint.reliableName
    guard endpoint.scope == .external || (endpoint.scope == .private && name != nil) else { return }
    let vendor = name == nil ? nil : endpoint.vendor
    let domain = name.map { vendor?.domain ?? registrableDomain(of: $0) }
    // A vendor may be called like a domain; the mark keeps their rows apart.
    let key = vendor.map { "vendor \($0.name)" } ?? domain.map { "domain \($0)" } ?? ""
    var row = rows[key] ?? VendorSummary(vendor: vendor?.name, category: vendor?.category, domain: domain)
    let bytes = FlowCounterPair(out: endpoint.out.bytes, in: endpoint.in.bytes)
    row.flows = row.flows.saturatingSum(endpoint.flows)
    row.bytes = row.bytes.saturatingSum(bytes)
    if let gap = endpoint.namingGap {
      row.unnamed[gap, default: 0] = row.unnamed[gap, default: 0].saturatingSum(endpoint.flows)
    } else if let source = endpoint.name?.source {
      row.namedBy[source, default: 0] = row.namedBy[source, default: 0].saturatingSum(endpoint.flows)
    }
    let standing = VendorSummary.Standing(endpoint, detector: detector)
    if standing.gravity > row.standing.gravity { row.standing = standing }
    rows[key] = row
    groups[key, default: []].insert(group)
    if let domain { domainBytes[key, default: [:]][domain] = (domainBytes[key]?[domain] ?? 0).saturatingSum(bytes.total) }
  }

  private mutating func registrableDomain(of name: DomainName) -> DomainName {
    if let known = registrableDomains[name] { return known }
    let domain = PublicSuffixList.registrableDomain(of: name) ?? name
    registrableDomains[name] = domain
    return domain
  }

  var sorted: [VendorSummary] {
    rows.map { key, row in
      var row = row
      row.workloads = groups[key, default: []].sorted()
      row.domain = domainBytes[key]?.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
      return row
    }
    .sorted { ($1.bytes.out, $0.title) < ($0.bytes.out, $1.title) }
  }
}

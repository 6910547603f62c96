public import EgressModel

/// For whom a policy is suggested.
public enum SuggestionSubject: Hashable, Sendable {
  /// The pods of a controller, by `Workload.group`.
  case pods(namespace: String, group: String)
  case namespace(String)
  /// A unit or a container of a host.
  case host(Workload.Kind, name: String)

  /// `shop` (a namespace), `shop/web`, `shop/Deployment/web`, `systemd/nginx.service`, `container/db`: as far as anything was observed of it.
  public init(_ text: String, among endpoints: some Sequence<Endpoint>) throws(PolicyError) {
    let workloads = Dictionary(endpoints.map { ($0.workload.group, $0.workload) }) { first, _ in first }
    let meant = workloads.values.filter { workload in
      workload.group == text || workload.shortName == text || workload.kind == .pod && "\(workload.namespace ?? "default")/\(workload.name)" == text
    }
    if let one = meant.first, meant.count == 1 {
      switch one.kind {
      case .pod: self = .pods(namespace: one.namespace ?? "default", group: one.group)
      case .systemd, .container: self = .host(one.kind, name: one.name)
      default: throw .noSuggestion("\(text) is not known well enough to write a policy for: no policy can select it")
      }
      return
    }
    guard meant.isEmpty else {
      throw .noSuggestion("\(text) may be any of \(meant.map(\.group).sorted().joined(separator: ", ")); name one of these")
    }
    if workloads.values.contains(where: { $0.kind == .pod && ($0.namespace ?? "default") == text }) {
      self = .namespace(text)
      return
    }
    let known = workloads.keys.sorted()
    let list = known.prefix(10).joined(separator: ", ") + (known.count > 10 ? " and \(known.count - 10) more" : "")
    throw .noSuggestion("nothing was observed of \(text); there is \(known.isEmpty ? "nothing at all in the window" : list)")
  }

  /// Whether what was seen of a workload belongs to it.
  public func contains(_ workload: Workload) -> Bool {
    switch self {
    case .pods(_, let group): workload.group == group
    case .namespace(let namespace): workload.kind == .pod && (workload.namespace ?? "default") == namespace
    case .host(let kind, let name): workload.kind == kind && workload.name == name
    }
  }

  var title: String {
    switch self {
    case .pods(_, let group): group
    case .namespace(let name): "namespace \(name)"
    case .host(let kind, let name): "\(kind.rawValue)/\(name)"
    }
  }

  /// Of the object: it says how it came about, so that it does not take the place of one that somebody wrote.
  var objectName: String {
    let base: Substring =
      switch self {
      case .pods(_, let group): group[(group.lastIndex(of: "/").map { group.index(after: $0) } ?? group.startIndex)...]
      case .namespace: ""
      case .host(_, let name): name[...]
      }
    let octets = base.lowercased().utf8.prefix(200).map { octet -> UInt8 in
      (0x30...0x39).contains(octet) || (0x61...0x7a).contains(octet) || octet == UInt8(ascii: ".") ? octet : UInt8(ascii: "-")
    }
    let labels = String(decoding: octets, as: UTF8.self).split(separator: ".").map { label in
      label.split(separator: "-", omittingEmptySubsequences: true).joined(separator: "-")
    }
    let name = labels.filter { !$0.isEmpty }.joined(separator: ".")
    return name.isEmpty ? "observed-egress" : "\(name)-observed-egress"
  }
}

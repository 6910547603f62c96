import EgressModel
public import Policy

/// The lock file.
///
/// ```yaml
/// apiVersion: egress-obs.dev/v1
/// kind: EgressApprovals
/// approvals:
/// - workload: shop/Deployment/checkout     # or systemd/nginx.service
///   endpoint: api.segment.io:443           # a name or an address; without a port, all of them
///   owner: team-growth
///   reason: funnel analytics
///   ticket: SEC-12                         # may be missing
///   expires: 2027-03-01                    # from this day on (UTC) it counts no more; missing: never
///   by: ann
/// ```
extension Approvals {
  static let apiVersion = "egress-obs.dev/v1"
  static let kind = "EgressApprovals"

  /// Reads strictly, and every object of the file; what stands there twice is an error.
  public static func read(_ text: String, file: String) -> (approvals: Approvals, errors: [ManifestError]) {
    let manifests = Manifests.read(text, file: file)
    var approvals = Approvals()
    var errors = manifests.errors
    for object in manifests.objects {
      let problems = Problems(file: object.file, document: object.document)
      approvals.add(object, problems)
      errors += problems.errors
    }
    if manifests.objects.isEmpty, errors.isEmpty {
      errors.append(ManifestError(file: file, document: 1, line: 1, problem: "it holds no \(kind)", advice: "egress-obs approve writes one"))
    }
    return (approvals, errors.sorted { ($0.line, $0.path) < ($1.line, $1.path) })
  }

  private mutating func add(_ object: ManifestObject, _ problems: Problems) {
    let root = object.field(problems)
    guard object.apiVersion == Self.apiVersion, object.kind == Self.kind else {
      root.refuse("\(object.apiVersion) \(object.kind) is no list of approvals", "write apiVersion: \(Self.apiVersion) and kind: \(Self.kind)")
      return
    }
    guard let list = root.members("apiVersion", "kind", "approvals")?.required("approvals", "write [] for none") else { return }
    for field in list.elements() {
      guard let approval = field.approval() else { continue }
      if add(approval) != nil { field.refuse("\(approval.endpoint) is already approved for \(approval.workload)", "keep one of them") }
    }
  }

  /// The whole file, in the order in which it is always written.
  public var text: String {
    var text = """
      # What was reviewed and accepted: written by `egress-obs approve`, read by `egress-obs report --baseline`.
      apiVersion: \(Self.apiVersion)
      kind: \(Self.kind)
      approvals:\(list.isEmpty ? " []" : "")

      """
    for approval in list {
      let fields = [
        ("workload", approval.workload), ("endpoint", "\(approval.endpoint)"), ("owner", approval.owner), ("reason", approval.reason),
        ("ticket", approval.ticket), ("expires", approval.expires?.dateText), ("by", approval.by),
      ]
      for (index, (key, value)) in fields.enumerated() {
        if let value { text += "\(index == 0 ? "- " : "  ")\(key): \(YAMLWriter.scalar(value))\n" }
      }
    }
    return text
  }
}

extension Field {
  fileprivate func approval() -> Approval? {
    guard let members = members("workload", "endpoint", "owner", "reason", "ticket", "expires", "by") else { return nil }
    func text(_ key: String, _ advice: String) -> String? {
      guard let field = members.required(key, advice), let text = field.string() else { return nil }
      if text.allSatisfy(\.isWhitespace) { field.refuse("it is empty", advice) }
      return text
    }
    let workload = text("workload", "write it like shop/Deployment/web or systemd/nginx.service")
    if let workload, !workload.contains("/") {
      members["workload"]?.refuse("it is no workload", "write it like shop/Deployment/web or systemd/nginx.service")
    }
    let endpoint = text("endpoint", "write it like api.example.com:443 or 192.0.2.53:53/udp").flatMap { text -> Approval.Endpoint? in
      if let endpoint = Approval.Endpoint(text) { return endpoint }
      members["endpoint"]?.refuse("it is no endpoint", "write it like api.example.com, api.example.com:443, [2001:db8::1]:443 or 192.0.2.53:53/udp")
      return nil
    }
    let owner = text("owner", "say who answers for it")
    let reason = text("reason", "say why it is right")
    let by = text("by", "say who approved it")
    let ticket = members["ticket"]?.string()
    var expires: Timestamp?
    if let field = members["expires"], let text = field.string() {
      expires = Timestamp(dateOrTime: text)
      // An approval that never ends for a mistyped date would be worse than none.
      if expires == nil { field.refuse("it is no date", "write it like 2027-03-01 or 2027-03-01T12:00:00Z") }
    }
    guard let workload, let endpoint, let owner, let reason, let by else { return nil }
    return Approval(endpoint: endpoint, workload: workload, owner: owner, reason: reason, ticket: ticket, expires: expires, by: by)
  }
}

import EgressModel

extension Field {
  /// Reads an element of a rule's list; `kind` is the list's name without `to` or `from`.
  func ciliumPeers(_ kind: String, in namespace: String?) -> [CiliumPolicy.Peer] {
    let peer: CiliumPolicy.Peer? =
      switch kind {
      case "Endpoints": ciliumEndpoints(in: namespace)
      case "CIDR": prefix().map { .block($0, except: []) }
      case "CIDRSet": ciliumBlock()
      case "Entities": word(Self.entities).map { .entity($0) }
      case "Groups": ciliumGroup()
      case "Nodes": ciliumSelector().map { .nodes($0) }
      case "Services": ciliumService(in: namespace)
      default: ciliumName().map { .name($0) }
      }
    return peer.map { [$0] } ?? []
  }

  private static let entities: KeyValuePairs<String, CiliumPolicy.Entity> = [
    "all": .all, "world": .world, "world-ipv4": .worldIPv4, "world-ipv6": .worldIPv6, "cluster": .cluster, "host": .host,
    "remote-node": .remoteNode, "kube-apiserver": .kubeAPIServer, "init": .`init`, "ingress": .ingress, "unmanaged": .unmanaged,
    "health": .health, "none": .none,
  ]

  private func ciliumEndpoints(in namespace: String?) -> CiliumPolicy.Peer? {
    guard var selector = ciliumSelector() else { return nil }
    if let namespace, !CiliumLabels.namesNamespace(selector) { selector.require(CiliumLabels.namespace, namespace) }
    return .endpoints(selector)
  }

  private func ciliumBlock() -> CiliumPolicy.Peer? {
    guard let members = members("cidr", "cidrGroupRef", "cidrGroupSelector", "except") else { return nil }
    let given = ["cidr", "cidrGroupRef", "cidrGroupSelector"].filter { members[$0] != nil }
    if given.count != 1 {
      refuse(given.isEmpty ? "it names no block" : "\(given.joined(separator: " and ")) exclude each other", "give one of cidr, cidrGroupRef, cidrGroupSelector")
    }
    let cidr = members["cidr"]?.prefix()
    var except: [IPPrefix] = []
    for field in members["except"]?.elements() ?? [] {
      guard let prefix = field.prefix() else { continue }
      except.append(prefix)
      if let cidr, !cidr.contains(prefix) { field.refuse("\(prefix) does not lie within cidr \(cidr)", "except can only take away a part of cidr") }
    }
    if let cidr { return .block(cidr, except: except) }
    if let field = members["cidrGroupRef"], let name = field.string() {
      if !ObjectName.isSubdomain(name) { field.refuse("\(quoted(name)) is no object name", "give the name of a CiliumCIDRGroup") }
      return .group(.named(name), except: except)
    }
    return members["cidrGroupSelector"]?.labelSelector().map { .group(.selected($0), except: except) }
  }

  private func ciliumGroup() -> CiliumPolicy.Peer? {
    guard let members = members("aws") else { return nil }
    guard let aws = members["aws"]?.members("labels", "region", "securityGroupsIds", "securityGroupsNames") else { return .cloudGroup }
    _ = aws["labels"]?.stringMap()
    _ = aws["region"]?.string()
    for key in ["securityGroupsIds", "securityGroupsNames"] { _ = aws[key]?.strings() }
    return .cloudGroup
  }

  private func ciliumService(in namespace: String?) -> CiliumPolicy.Peer? {
    guard let members = members("k8sService", "k8sServiceSelector") else { return nil }
    if members["k8sService"] != nil, members["k8sServiceSelector"] != nil { refuse("k8sService and k8sServiceSelector exclude each other", "make two elements of it") }
    if let service = members["k8sService"]?.members("serviceName", "namespace") {
      guard let name = service.required("serviceName")?.string() else { return nil }
      return .service(.named(name, namespace: service["namespace"]?.string() ?? namespace ?? "default"))
    }
    guard let service = members.required("k8sServiceSelector", "or give k8sService")?.members("selector", "namespace") else { return nil }
    let home = service["namespace"]?.string() ?? namespace
    return service.required("selector")?.ciliumSelector().map { .service(.selected($0, namespace: home)) }
  }

  /// `matchName` or `matchPattern`.
  func ciliumName() -> CiliumNamePattern? {
    guard let members = members("matchName", "matchPattern") else { return nil }
    switch (members["matchName"], members["matchPattern"]) {
    case (let name?, nil): return name.ciliumName("a name has letters, digits, - _ and . only") { CiliumNamePattern(name: $0) }
    case (nil, let pattern?): return pattern.ciliumName("a pattern has letters, digits, - _ . and * only") { CiliumNamePattern(pattern: $0) }
    case (nil, nil): refuse("it names nothing", "give matchName or matchPattern")
    default: refuse("only one of matchName and matchPattern may be given", "make two elements of it")
    }
    return nil
  }

  func ciliumName(_ advice: String, _ read: (String) -> CiliumNamePattern?) -> CiliumNamePattern? {
    guard let text = string() else { return nil }
    let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    // A trailing dot is the one place where a label may be empty.
    guard let pattern = read(text), !labels.dropLast().contains(where: \.isEmpty) else {
      refuse("\(quoted(text)) has invalid characters, empty labels or more than 255 characters", advice)
      return nil
    }
    return pattern
  }
}

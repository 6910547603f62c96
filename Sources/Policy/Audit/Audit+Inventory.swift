import EgressModel

/// What the inventory shows.
extension Audit {
  /// Namespaces whose pods may send to anywhere because nothing says otherwise.
  mutating func addUnprotected(_ judge: Judge, _ cluster: Cluster) {
    // An address of documentation (RFC 5737), which no rule names but those that name everything.
    let anywhere = Destination(address: IPAddress(v4: 0xc000_0201), port: 9, transport: .tcp)
    var open: [String: [String]] = [:]
    var counts: [String: Int] = [:]
    for pod in cluster.pods where pod.ownsAddresses && !pod.hostNetwork {
      counts[pod.namespace, default: 0] += 1
      let verdict = judge.judge(pod.workload, anywhere)
      if verdict.decision == .unprotected || verdict.decision == .allowed && verdict.by.isEmpty {
        open[pod.namespace, default: []].append(pod.workload.owner?.name ?? pod.name)
      }
    }
    for (namespace, pods) in open {
      let names = Self.some(Set(pods).sorted())
      let count = counts[namespace] ?? 0
      let who = count == 1 ? "its only pod" : pods.count == count ? "all \(count) pods" : "\(pods.count) of \(count) pods"
      add(
        .unprotected, namespace, "\(who) may send to anywhere (\(names)): nothing denies by default",
        fix: "add a NetworkPolicy with podSelector: {} and policyTypes: [Egress] to the namespace")
    }
  }

  /// Policies and peers whose selectors no pod matches.
  mutating func addUnmatched(_ policies: PolicySet, _ judge: Judge, _ cluster: Cluster) {
    guard !cluster.pods.isEmpty else { return }
    var selecting: Set<String> = []
    for pod in cluster.pods.indices { selecting.formUnion(judge.names(selecting: pod)) }
    for object in policies.objects where object.selectsPods && !selecting.contains(object.name.reference) {
      add(
        .unmatched, object.name.reference, "it selects no pod of the inventory", fix: "check its selectors against the labels of the pods, or remove it",
        at: policies.places[object.name])
    }
    var known: [ClusterNetworkPolicy.Pods: Bool] = [:]
    for rule in policies.objects.flatMap(\.comparedRules) {
      for case .pods(let pods, let namespaces) in rule.extent.peers {
        let labels: LabelSelector =
          switch namespaces {
          case .named(let name): LabelSelector(matchLabels: ["kubernetes.io/metadata.name": name])
          case .selected(let selector): selector
          }
        let peer = ClusterNetworkPolicy.Pods(pods: pods, namespaces: labels)
        let isMatched = known[peer] ?? cluster.pods.indices.contains { index in
          pods.matches(cluster.pods[index].labels) && labels.matches(cluster.namespaces[cluster.namespaceOfPod[index]].labels)
        }
        known[peer] = isMatched
        if !isMatched {
          add(
            .unmatched, rule.reference.description, "no pod of the inventory is \(ClusterNetworkPolicy.Peer.pods(peer))",
            fix: "check the selectors against the labels of the pods and namespaces", rule: rule.reference, at: rule.place)
        }
      }
    }
  }

  /// Policies that allow names to pods that may not look them up.
  mutating func addNoDNS(_ policies: PolicySet, _ judge: Judge, _ cluster: Cluster) {
    addNoProxy(policies)
    let named = Dictionary(policies.objects.filter(\.allowsNames).map { ($0.name.reference, $0.name) }) { first, _ in first }
    guard !named.isEmpty, let resolver = cluster.resolver else { return }
    var denied: [String: (pods: [String], reason: String)] = [:]
    for (index, pod) in cluster.pods.enumerated() where pod.ownsAddresses {
      let names = judge.names(selecting: index).filter { named[$0] != nil }
      guard !names.isEmpty else { continue }
      let verdict = judge.judge(pod.workload, resolver)
      guard verdict.decision == .denied else { continue }
      for name in names { denied[name, default: ([], verdict.reason ?? "no rule allows it")].pods.append("\(pod.namespace)/\(pod.name)") }
    }
    for (reference, found) in denied {
      add(
        .noDNS, reference, "it allows names, and \(Self.some(found.pods)) may not ask the cluster's DNS at \(resolver.address):53/udp (\(found.reason))",
        fix: "allow 53/udp and 53/tcp to the DNS pods (k8s-app=kube-dns of kube-system)", at: named[reference].flatMap { policies.places[$0] })
    }
  }
}

extension Audit {
  /// Cilium learns the addresses of a name only from look-ups that a rule with `rules.dns` sends through its proxy.
  private mutating func addNoProxy(_ policies: PolicySet) {
    let all = policies.all(CiliumPolicy.self)
    let watching = all.filter { $0.specs.contains { $0.egress.contains { $0.ports.contains { $0.application == "dns" } } } }
    for policy in all where policy.allowsNames {
      guard !watching.contains(where: { $0.name.namespace == nil || $0.name.namespace == policy.name.namespace }) else { continue }
      add(
        .noDNS, policy.name.reference, "it has toFQDNs, and no rule with rules.dns lets Cilium see what the pods look up",
        fix: "add a rule to the DNS pods on 53/ANY with rules.dns: [{matchPattern: \"*\"}]", at: policies.places[policy.name])
    }
  }
}

extension PolicyObject {
  /// Whether the object is a policy that is for pods; `false` for what is for hosts, and for what policies refer to.
  fileprivate var selectsPods: Bool {
    switch self {
    case let policy as NetworkPolicy: policy.isolatesEgress
    case let policy as ClusterNetworkPolicy: !policy.egress.isEmpty
    case let policy as EgressPolicy: if case .pods = policy.selection { true } else { false }
    case let policy as CiliumPolicy:
      policy.specs.contains { spec in if spec.governsEgress, case .endpoints = spec.subject { true } else { false } }
    case let policy as CalicoPolicy: policy.governsEgress && policy.staged == nil
    case is FQDNNetworkPolicy, is EgressFirewall: true
    default: false
    }
  }

  /// Whether a rule of it allows names.
  fileprivate var allowsNames: Bool {
    switch self {
    case let policy as ClusterNetworkPolicy: policy.egress.contains { $0.action == .accept && !$0.names.isEmpty }
    case let policy as EgressPolicy: policy.allow.contains { !$0.names.isEmpty }
    case let policy as EgressFirewall: policy.egress.contains { if case .name = $0.target { $0.action == .allow } else { false } }
    case let policy as CiliumPolicy:
      policy.specs.contains { spec in
        spec.egress.contains { rule in rule.peers?.contains { if case .name = $0 { true } else { false } } ?? false }
      }
    case let policy as CalicoPolicy: policy.staged == nil && policy.egress.contains { !$0.destination.domains.isEmpty }
    case is FQDNNetworkPolicy: true
    default: false
    }
  }
}

extension Cluster {
  /// Where pods ask for names: the service before the pods of the cluster's DNS, which are known by the label that its distributions share.
  fileprivate var resolver: Destination? {
    let pod = pods.first { $0.ownsAddresses && ($0.labels["k8s-app"] == "kube-dns" || $0.labels["dns.operator.openshift.io/daemonset-dns"] == "default") }
    guard let pod else { return nil }
    let service = services.first { service in
      service.namespace == pod.namespace && !service.selector.isEmpty && LabelSelector(matchLabels: service.selector).matches(pod.labels)
        && service.ports.contains { $0.number == 53 && $0.transport == .udp }
    }
    return (service?.clusterIPs.first ?? pod.addresses.first).map { Destination(address: $0, port: 53, transport: .udp) }
  }
}

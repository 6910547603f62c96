import EgressModel
import Testing

@testable import Policy

/// A cluster made at random, in the words of the API rather than ours, with an evaluator that does what the text of the API says, rule by rule.
struct RandomCluster {
  typealias Labels = [String: String]
  struct Expression { var key: String, operation: String, values: [String] }
  struct Selector { var labels: Labels, expressions: [Expression] }
  enum Peer {
    case pods(Selector?, Selector?)
    case block(UInt32, Int, except: [(UInt32, Int)])
  }
  enum PortNumber { case none, number(Int, end: Int?), named(String) }
  struct Rule { var peers: [Peer]?, ports: [(transport: String, number: PortNumber)]? }
  struct Policy { var name: String, namespace: String, selector: Selector, types: [String]?, rules: [Rule]? }
  struct Pod { var name: String, namespace: String, labels: Labels, address: UInt32, hostNetwork: Bool, ended: Bool, ports: [(name: String, number: Int, transport: String)] }

  var namespaces: [(name: String, labels: Labels)] = []
  var pods: [Pod] = []
  var policies: [Policy] = []

  static let keys = ["app", "tier", "zone"]
  static let values = ["a", "b", "c"]

  init(_ random: inout SeededGenerator) {
    func flip(_ odds: Int = 2) -> Bool { Int.random(in: 0..<odds, using: &random) == 0 }
    func labels() -> Labels {
      var labels: Labels = [:]
      for key in Self.keys where flip() { labels[key] = Self.values.randomElement(using: &random) }
      return labels
    }
    func selector() -> Selector {
      var selector = Selector(labels: flip(3) ? [:] : labels(), expressions: [])
      if flip(3) {
        let operation = ["In", "NotIn", "Exists", "DoesNotExist"].randomElement(using: &random)!
        selector.expressions = [
          Expression(key: Self.keys.randomElement(using: &random)!, operation: operation, values: operation.hasSuffix("In") ? Array(Self.values.shuffled(using: &random).prefix(flip() ? 1 : 2)) : [])
        ]
      }
      return selector
    }
    for index in 0..<3 { namespaces.append(("ns\(index)", labels())) }
    for index in 0..<10 {
      let shared = flip(8) && index > 0
      pods.append(
        Pod(
          name: "pod\(index)", namespace: "ns\(index % 3)", labels: labels(), address: shared ? pods[index - 1].address : 0x0a00_0000 + UInt32(index), hostNetwork: flip(8),
          ended: shared, ports: [("http", flip() ? 80 : 8080, flip(4) ? "UDP" : "TCP")]))
    }
    func block() -> (UInt32, Int) { (0x0a00_0000 + UInt32.random(in: 0..<16, using: &random), Int.random(in: 27...31, using: &random)) }
    func peer() -> Peer {
      if flip() {
        let cidr = block()
        let inner = (cidr.0 & (UInt32.max << UInt32(32 - cidr.1)) | UInt32.random(in: 0..<16, using: &random) & ~(UInt32.max << UInt32(32 - cidr.1)), 32)
        return .block(cidr.0, cidr.1, except: flip() ? [inner] : [])
      }
      return flip() ? .pods(selector(), nil) : flip() ? .pods(nil, selector()) : .pods(selector(), selector())
    }
    func port() -> (String, PortNumber) {
      let transport = flip(3) ? "UDP" : "TCP"
      return (transport, flip(4) ? .none : flip(3) ? .named("http") : .number(flip() ? 80 : 8000, end: flip() ? 8080 : nil))
    }
    for index in 0..<Int.random(in: 0...6, using: &random) {
      let rules = flip(6) ? nil : (0..<Int.random(in: 0...3, using: &random)).map { _ in
        Rule(peers: flip(5) ? nil : (0..<Int.random(in: 0...2, using: &random)).map { _ in peer() }, ports: flip() ? nil : (0..<Int.random(in: 0...2, using: &random)).map { _ in port() })
      }
      policies.append(
        Policy(
          name: "p\(index)", namespace: "ns\(Int.random(in: 0..<3, using: &random))", selector: selector(),
          types: [nil, ["Egress"], ["Ingress"], ["Ingress", "Egress"], []].randomElement(using: &random)!, rules: rules))
    }
  }

  // As YAML.

  static func text(_ address: UInt32) -> String { "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)" }
  static func flow(_ labels: Labels) -> String { "{\(labels.map { "\($0): \($1)" }.joined(separator: ", "))}" }
  static func flow(_ selector: Selector) -> String {
    let expressions = selector.expressions.map { "{key: \($0.key), operator: \($0.operation)\($0.values.isEmpty ? "" : ", values: [\($0.values.joined(separator: ", "))]")}" }
    return "{matchLabels: \(flow(selector.labels)), matchExpressions: [\(expressions.joined(separator: ", "))]}"
  }
  static func flow(_ rule: Rule) -> String {
    let peers = rule.peers.map { peers in
      peers.map { peer in
        switch peer {
        case .block(let address, let length, let except):
          return "{ipBlock: {cidr: \(text(address))/\(length), except: [\(except.map { "\(text($0))/\($1)" }.joined(separator: ", "))]}}"
        case .pods(let pods, let namespaces):
          return "{podSelector: \(pods.map { flow($0) } ?? "null"), namespaceSelector: \(namespaces.map { flow($0) } ?? "null")}"
        }
      }.joined(separator: ", ")
    }
    let ports = rule.ports.map { ports in
      ports.map { transport, number in
        switch number {
        case .none: "{protocol: \(transport)}"
        case .named(let name): "{protocol: \(transport), port: \(name)}"
        case .number(let first, let end): "{protocol: \(transport), port: \(first)\(end.map { ", endPort: \(max($0, first))" } ?? "")}"
        }
      }.joined(separator: ", ")
    }
    return "{\([peers.map { "to: [\($0)]" }, ports.map { "ports: [\($0)]" }].compactMap { $0 }.joined(separator: ", "))}"
  }

  var policyTexts: [String] {
    policies.map { policy in
      var spec = "podSelector: \(Self.flow(policy.selector))"
      if let types = policy.types { spec += ", policyTypes: [\(types.joined(separator: ", "))]" }
      if let rules = policy.rules { spec += ", egress: [\(rules.map { Self.flow($0) }.joined(separator: ", "))]" }
      return "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: \(policy.name), namespace: \(policy.namespace)}, spec: {\(spec)}}"
    }
  }

  var inventoryTexts: [String] {
    namespaces.map { "{apiVersion: v1, kind: Namespace, metadata: {name: \($0.name), labels: \(Self.flow($0.labels))}}" }
      + pods.map { pod in
        let ports = pod.ports.map { "{name: \($0.name), containerPort: \($0.number), protocol: \($0.transport)}" }.joined(separator: ", ")
        return "{apiVersion: v1, kind: Pod, metadata: {name: \(pod.name), namespace: \(pod.namespace), labels: \(Self.flow(pod.labels))}, "
          + "spec: {hostNetwork: \(pod.hostNetwork), containers: [{ports: [\(ports)]}]}, "
          + "status: {phase: \(pod.ended ? "Failed" : "Running"), podIP: \(Self.text(pod.address))}}"
      }
  }

  // The naive evaluator.

  static func matches(_ selector: Selector, _ labels: Labels) -> Bool {
    for (key, value) in selector.labels where labels[key] != value { return false }
    for expression in selector.expressions {
      let value = labels[expression.key]
      switch expression.operation {
      case "In": guard let value, expression.values.contains(value) else { return false }
      case "NotIn": if let value, expression.values.contains(value) { return false }
      case "Exists": if value == nil { return false }
      default: if value != nil { return false }
      }
    }
    return true
  }

  static func contains(_ block: (UInt32, Int), _ address: UInt32) -> Bool { block.0 >> UInt32(32 - block.1) == address >> UInt32(32 - block.1) }

  /// The decision, and the rules that allow.
  func judge(_ subject: Pod, _ address: UInt32, _ port: Int?, _ transport: String) -> (Verdict.Decision, Set<String>) {
    let target = pods.first { $0.address == address && !$0.ended && !$0.hostNetwork }
    let selecting = policies.filter { policy in
      let types = policy.types ?? []
      let egress = types.isEmpty ? !(policy.rules ?? []).isEmpty : types.contains("Egress")
      return egress && policy.namespace == subject.namespace && !subject.hostNetwork && Self.matches(policy.selector, subject.labels)
    }
    if selecting.isEmpty { return (.unprotected, []) }
    if address == subject.address { return (.allowed, []) }
    var by: Set<String> = []
    for policy in selecting {
      for (index, rule) in (policy.rules ?? []).enumerated() {
        let peerFits = (rule.peers ?? []).isEmpty || rule.peers!.contains { peer in
          switch peer {
          case .block(let start, let length, let except): return Self.contains((start, length), address) && !except.contains { Self.contains($0, address) }
          case .pods(let pods, let spaces):
            guard let target else { return false }
            if let pods, !Self.matches(pods, target.labels) { return false }
            guard let spaces else { return target.namespace == policy.namespace }
            let labels = namespaces.first { $0.name == target.namespace }!.labels
            return Self.matches(spaces, labels.merging(["kubernetes.io/metadata.name": target.namespace]) { a, _ in a })
          }
        }
        let portFits = (rule.ports ?? []).isEmpty || rule.ports!.contains { allowed in
          guard let port, allowed.transport == transport else { return false }
          switch allowed.number {
          case .none: return true
          case .number(let first, let end): return port >= first && port <= max(end ?? first, first)
          case .named(let name): return target?.ports.contains { $0.name == name && $0.number == port && $0.transport == transport } ?? false
          }
        }
        if peerFits && portFits { by.insert("NetworkPolicy/\(policy.namespace)/\(policy.name)#\(index)") }
      }
    }
    return (by.isEmpty ? .denied : .allowed, by)
  }
}

@Suite struct PropertyTests {
  static let seed = UInt64.random(in: 0 ... .max)

  @Test func `the indexed judge agrees with the naive reading of the API, and the order of manifests changes nothing`() throws {
    print("seed \(Self.seed)")
    var random = SeededGenerator(state: Self.seed)
    var decisions: [Verdict.Decision: Int] = [:]
    for round in 0..<60 {
      let cluster = RandomCluster(&random)
      func judge(_ shuffle: Bool) -> Judge {
        func text(_ documents: [String]) -> String { (shuffle ? documents.shuffled(using: &random) : documents).joined(separator: "\n---\n") }
        return Judge(policies: policySet(text(cluster.policyTexts)), inventory: inventory(text(cluster.inventoryTexts)))
      }
      let (first, second) = (judge(false), judge(true))
      for _ in 0..<150 {
        let subject = try #require(cluster.pods.filter { !$0.ended }.randomElement(using: &random))
        let address = UInt32(0x0a00_0000) + UInt32.random(in: 0..<20, using: &random)
        let transport = ["TCP", "UDP", "ICMP"].randomElement(using: &random) ?? "TCP"
        let port: Int? = transport == "ICMP" ? nil : [80, 8000, 8080, 443].randomElement(using: &random)
        let there = Destination(address: IPAddress(v4: address), port: port.map { UInt16($0) }, transport: try #require(Transport(transport)))
        let verdict = first.judge(pod(subject.namespace, subject.name), there)
        let (decision, by) = cluster.judge(subject, address, port, transport)
        let what: Comment = "seed \(Self.seed) round \(round): \(subject.name) to \(there)\n\(cluster.policyTexts.joined(separator: "\n"))"
        try #require(verdict.decision == decision, what)
        try #require(Set(verdict.by.map(\.description)) == by, what)
        try #require(verdict.by == verdict.by.sorted(), what)
        try #require(second.judge(pod(subject.namespace, subject.name), there) == verdict, what)
        decisions[decision, default: 0] += 1
      }
    }
    // Random input that only ever gives one answer would prove nothing.
    for decision in [Verdict.Decision.allowed, .denied, .unprotected] { #expect(decisions[decision, default: 0] > 300, "\(decisions)") }
  }

  @Test func `a glob agrees with trying every split`() {
    var random = SeededGenerator(state: Self.seed)
    func naive(_ pattern: Substring, _ text: Substring) -> Bool {
      guard let first = pattern.first else { return text.isEmpty }
      if first == "*" { return naive(pattern.dropFirst(), text) || (!text.isEmpty && naive(pattern, text.dropFirst())) }
      return text.first.map { first == "?" || $0 == first } ?? false && naive(pattern.dropFirst(), text.dropFirst())
    }
    for _ in 0..<3000 {
      let pattern = String((0..<Int.random(in: 0...6, using: &random)).map { _ in "ab*?".randomElement(using: &random) ?? "a" })
      let text = String((0..<Int.random(in: 0...8, using: &random)).map { _ in "ab".randomElement(using: &random) ?? "a" })
      #expect(Glob(pattern).matches(text) == naive(pattern[...], text[...]), "seed \(Self.seed): \(pattern) \(text)")
    }
  }
}

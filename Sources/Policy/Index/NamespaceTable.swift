import EgressModel

/// Numbers the distinct lists of namespaces that selectors and names mean, each resolved once.
struct NamespaceTable {
  private let namespaces: [NamespaceObject]
  private var bySelector: [LabelSelector: Int] = [:]
  private var byName: [String: Int] = [:]
  /// By number: for each namespace of the cluster, whether it is meant.
  private(set) var lists: [[Bool]] = []

  init(_ cluster: Cluster) { namespaces = cluster.namespaces }

  mutating func number(_ selector: LabelSelector) -> Int {
    if let number = bySelector[selector] { return number }
    bySelector[selector] = lists.count
    lists.append(namespaces.map { selector.matches($0.labels) })
    return lists.count - 1
  }

  mutating func number(named name: String) -> Int {
    if let number = byName[name] { return number }
    byName[name] = lists.count
    lists.append(namespaces.map { $0.name == name })
    return lists.count - 1
  }

  /// By namespace: the numbers of the lists that mean it.
  var numbersOfNamespace: [[Int]] { namespaces.indices.map { namespace in lists.indices.filter { lists[$0][namespace] } } }
}

import EgressModel

/// An expression of Calico's selector language over labels, such as `app == 'web' && tier in {"a", "b"}`.
///
/// Where the label is not there, `!=` and `not in` hold, and nothing else does.
/// ([Selectors](https://docs.tigera.io/calico/latest/reference/resources/networkpolicy#selectors))
indirect enum CalicoSelector: LabelMatcher, Hashable {
  case all
  /// What is in no namespace; it stands alone, as a namespace selector.
  case global
  case has(String)
  case equals(String, String)
  case differs(String, String)
  case isIn(String, Set<String>)
  case isNotIn(String, Set<String>)
  case contains(String, String)
  case startsWith(String, String)
  case endsWith(String, String)
  case not(CalicoSelector)
  case and([CalicoSelector])
  case or([CalicoSelector])

  func matches(_ labels: [String: String]) -> Bool {
    switch self {
    case .all, .global: true
    case .has(let key): labels[key] != nil
    case .equals(let key, let value): labels[key] == value
    case .differs(let key, let value): labels[key] != value
    case .isIn(let key, let values): labels[key].map(values.contains) ?? false
    case .isNotIn(let key, let values): !(labels[key].map(values.contains) ?? false)
    case .contains(let key, let part): labels[key].map { $0.contains(part) } ?? false
    case .startsWith(let key, let part): labels[key].map { $0.hasPrefix(part) } ?? false
    case .endsWith(let key, let part): labels[key].map { $0.hasSuffix(part) } ?? false
    case .not(let selector): !selector.matches(labels)
    case .and(let selectors): selectors.allSatisfy { $0.matches(labels) }
    case .or(let selectors): selectors.contains { $0.matches(labels) }
    }
  }

  var requiredPairs: [LabelPair] {
    switch self {
    case .equals(let key, let value): [LabelPair(key: key, value: value)]
    case .isIn(let key, let values) where values.count == 1: values.map { LabelPair(key: key, value: $0) }
    case .and(let selectors): selectors.flatMap(\.requiredPairs)
    default: []
    }
  }

  var selectsEverything: Bool { self == .all }

  /// Whether it asks for any label.
  var readsLabels: Bool {
    switch self {
    case .all, .global: false
    case .not(let selector): selector.readsLabels
    case .and(let selectors), .or(let selectors): selectors.contains(where: \.readsLabels)
    default: true
    }
  }

  /// The same with every leaf, which asks for at most one label, replaced.
  private func mapped(_ leaf: (CalicoSelector) -> CalicoSelector) -> CalicoSelector {
    switch self {
    case .not(let selector): .not(selector.mapped(leaf))
    case .and(let selectors): .and(selectors.map { $0.mapped(leaf) })
    case .or(let selectors): .or(selectors.map { $0.mapped(leaf) })
    default: leaf(self)
    }
  }

  /// The same about labels whose keys begin with `prefix`: how an endpoint carries those of its namespace (`pcns.`) and service account (`pcsa.`).
  func prefixed(_ prefix: String) -> CalicoSelector {
    mapped { leaf in
      switch leaf {
      case .has(let key): .has(prefix + key)
      case .equals(let key, let value): .equals(prefix + key, value)
      case .differs(let key, let value): .differs(prefix + key, value)
      case .isIn(let key, let values): .isIn(prefix + key, values)
      case .isNotIn(let key, let values): .isNotIn(prefix + key, values)
      case .contains(let key, let part): .contains(prefix + key, part)
      case .startsWith(let key, let part): .startsWith(prefix + key, part)
      case .endsWith(let key, let part): .endsWith(prefix + key, part)
      default: leaf
      }
    }
  }

  /// A namespace selector as one over the labels of endpoints and network sets, where `all()` is what is in a namespace and `global()` what is in none.
  var ofNamespaces: CalicoSelector {
    prefixed(CalicoLabels.namespacePrefix).mapped { leaf in
      switch leaf {
      case .all: .has(CalicoLabels.namespace)
      case .global: .not(.has(CalicoLabels.namespace))
      default: leaf
      }
    }
  }

  static func both(_ a: CalicoSelector, _ b: CalicoSelector) -> CalicoSelector { b == .all ? a : a == .all ? b : .and([a, b]) }
}

extension CalicoSelector: CustomStringConvertible {
  /// The canonical text: `(app == "web" && tier in {"a", "b"})`.
  var description: String {
    func quoted(_ text: String) -> String { text.contains("\"") ? "'\(text)'" : "\"\(text)\"" }
    func list(_ values: Set<String>) -> String { "{\(values.sorted().map(quoted).joined(separator: ", "))}" }
    return switch self {
    case .all: "all()"
    case .global: "global()"
    case .has(let key): "has(\(key))"
    case .equals(let key, let value): "\(key) == \(quoted(value))"
    case .differs(let key, let value): "\(key) != \(quoted(value))"
    case .isIn(let key, let values): "\(key) in \(list(values))"
    case .isNotIn(let key, let values): "\(key) not in \(list(values))"
    case .contains(let key, let part): "\(key) contains \(quoted(part))"
    case .startsWith(let key, let part): "\(key) starts with \(quoted(part))"
    case .endsWith(let key, let part): "\(key) ends with \(quoted(part))"
    case .not(let selector): "!\(selector)"
    case .and(let selectors): "(\(selectors.map(\.description).joined(separator: " && ")))"
    case .or(let selectors): "(\(selectors.map(\.description).joined(separator: " || ")))"
    }
  }
}

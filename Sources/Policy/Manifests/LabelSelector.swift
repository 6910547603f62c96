/// A `metav1.LabelSelector`: every pair and every expression must hold; without any it selects everything.
public struct LabelSelector: Hashable, Sendable {
  public struct Requirement: Hashable, Sendable {
    public enum Operator: String, Hashable, Sendable {
      case `in` = "In"
      case notIn = "NotIn"
      case exists = "Exists"
      case doesNotExist = "DoesNotExist"
    }
    public var key: String
    public var `operator`: Operator
    /// Empty for `Exists` and `DoesNotExist`.
    public var values: [String]

    public init(key: String, operator: Operator, values: [String] = []) {
      self.key = key
      self.operator = `operator`
      self.values = values
    }

    /// `NotIn` and `DoesNotExist` hold where the key is missing.
    func matches(_ labels: [String: String]) -> Bool {
      switch `operator` {
      case .in: labels[key].map(values.contains) ?? false
      case .notIn: !(labels[key].map(values.contains) ?? false)
      case .exists: labels[key] != nil
      case .doesNotExist: labels[key] == nil
      }
    }
  }

  public var matchLabels: [String: String]
  public var matchExpressions: [Requirement]

  public init(matchLabels: [String: String] = [:], matchExpressions: [Requirement] = []) {
    self.matchLabels = matchLabels
    self.matchExpressions = matchExpressions
  }

  /// Adds a pair; one that is there with another value stays, as a condition of its own.
  mutating func require(_ key: String, _ value: String) {
    if matchLabels[key] == nil || matchLabels[key] == value {
      matchLabels[key] = value
    } else {
      matchExpressions.append(Requirement(key: key, operator: .in, values: [value]))
    }
  }

  public var selectsEverything: Bool { matchLabels.isEmpty && matchExpressions.isEmpty }

  /// Whether everything that `other` selects is selected by this one, too, as far as their words show.
  func covers(_ other: LabelSelector) -> Bool {
    matchLabels.allSatisfy { other.matchLabels[$0.key] == $0.value } && matchExpressions.allSatisfy(other.matchExpressions.contains)
  }

  public func matches(_ labels: [String: String]) -> Bool {
    for (key, value) in matchLabels where labels[key] != value { return false }
    return matchExpressions.allSatisfy { $0.matches(labels) }
  }
}

extension LabelSelector: CustomStringConvertible {
  /// As `kubectl -l` takes it: `app=web,tier in (a,b),!legacy`; empty when it selects everything.
  public var description: String {
    let pairs = matchLabels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let expressions = matchExpressions.map { requirement in
      let values = requirement.values.joined(separator: ",")
      return switch requirement.operator {
      case .in: "\(requirement.key) in (\(values))"
      case .notIn: "\(requirement.key) notin (\(values))"
      case .exists: requirement.key
      case .doesNotExist: "!\(requirement.key)"
      }
    }
    return (pairs + expressions).joined(separator: ",")
  }
}

extension Field {
  /// Reads and validates a label selector; what is wrong with it is reported, and the rest of it returned.
  ///
  /// `key` reads a key as a dialect writes it (`k8s:app`): what it means, and the part that must be a label key.
  func labelSelector(key: (String) -> (meant: String, label: String) = { ($0, $0) }) -> LabelSelector? {
    guard let members = members("matchLabels", "matchExpressions") else { return nil }
    var selector = LabelSelector()
    if let labels = members["matchLabels"] {
      for (written, value) in labels.stringMap().sorted(by: { $0.key < $1.key }) {
        let field = labels.anyMembers()?[written] ?? labels
        if let problem = Label.problem(key: key(written).label) { field.refuse(problem, Label.keyAdvice) }
        if let problem = Label.problem(value: value) { field.refuse(problem, Label.valueAdvice) }
        selector.require(key(written).meant, value)
      }
    }
    for expression in members["matchExpressions"]?.elements() ?? [] {
      if let requirement = expression.requirement(key) { selector.matchExpressions.append(requirement) }
    }
    return selector
  }

  private func requirement(_ read: (String) -> (meant: String, label: String)) -> LabelSelector.Requirement? {
    guard let members = members("key", "operator", "values") else { return nil }
    let key = members.required("key")?.string().map(read)
    if let key, let problem = Label.problem(key: key.label) { members["key"]?.refuse(problem, Label.keyAdvice) }
    let operation = members.required("operator")?.word([
      "In": LabelSelector.Requirement.Operator.in, "NotIn": .notIn, "Exists": .exists, "DoesNotExist": .doesNotExist,
    ])
    let fields = members["values"]?.elements() ?? []
    let values = fields.compactMap { field in
      let value = field.string()
      if let value, let problem = Label.problem(value: value) { field.refuse(problem, Label.valueAdvice) }
      return value
    }
    guard let key, let operation else { return nil }
    switch operation {
    case .in, .notIn:
      if fields.isEmpty { (members["values"] ?? members.missing("values")).refuse("\(operation.rawValue) needs at least one value") }
    case .exists, .doesNotExist:
      if !fields.isEmpty { members["values"]?.refuse("\(operation.rawValue) takes no values", "remove values") }
    }
    return LabelSelector.Requirement(key: key.meant, operator: operation, values: values)
  }
}

/// What label keys and values may look like
/// (the [API conventions](https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set)).
enum Label {
  static let keyAdvice = "a key is [prefix/]name; the name has at most 63 letters, digits, - _ . and begins and ends with a letter or digit"
  static let valueAdvice = "a value has at most 63 letters, digits, - _ . and begins and ends with a letter or digit"

  static func problem(key: String) -> String? {
    let parts = key.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, let name = parts.last, isName(name), parts.count == 1 || ObjectName.isSubdomain(parts[0]) else {
      return "\(quoted(key)) is no label key"
    }
    return nil
  }

  static func problem(value: String) -> String? {
    value.isEmpty || isName(value[...]) ? nil : "\(quoted(value)) is no label value"
  }

  private static func isName(_ text: Substring) -> Bool {
    guard (1...63).contains(text.utf8.count), let first = text.utf8.first, let last = text.utf8.last else { return false }
    return isAlphanumeric(first) && isAlphanumeric(last)
      && text.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
  }
}

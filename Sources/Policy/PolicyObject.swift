import EgressModel

/// An object of one of the kinds that are understood: a policy, or what policies refer to.
protocol PolicyObject: Sendable {
  /// Whose data paths enforce the kind; all of them unless it is said.
  static var engines: Set<Engine> { get }

  var name: ObjectName { get }
  /// Every egress rule that has an effect, in the order of the object.
  var rules: [RuleDescription] { get }

  /// Reads an object strictly: what is wrong is reported, and an object with problems is not kept.
  static func read(_ object: ManifestObject, _ problems: Problems) -> Self?
}

extension PolicyObject {
  static var engines: Set<Engine> { Set(Engine.allCases) }
}

import EgressModel

/// A name of a destination, taken apart once for all the patterns that it is held against.
struct LabelledName: Hashable, Sendable {
  let name: DomainName
  /// Left to right.
  let labels: [String]

  init(_ name: DomainName) {
    self.name = name
    labels = name.labels.map(String.init)
  }

  var text: String { name.text }
}

extension LabelledName: CustomStringConvertible {
  var description: String { text }
}

/// Which object it is: read from `metadata`, with the names checked as the API server checks them.
struct ObjectName: Hashable, Sendable {
  var kind: String
  /// Nil for cluster-scoped objects.
  var namespace: String?
  var name: String

  /// `NetworkPolicy/shop/web-egress`, `EgressPolicy/hosts`.
  var reference: String { "\(kind)/\(namespace.map { $0 + "/" } ?? "")\(name)" }

  /// A DNS subdomain (RFC 1123): at most 253 octets of lower-case labels.
  static func isSubdomain(_ text: some StringProtocol) -> Bool {
    let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return text.utf8.count <= 253 && labels.allSatisfy { isLabel($0, limit: 253) }
  }

  /// A DNS label (RFC 1123): at most 63 lower-case letters, digits and inner hyphens.
  static func isLabel(_ text: some Collection<UInt8>, limit: Int = 63) -> Bool {
    func isAlphanumeric(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) }
    guard (1...limit).contains(text.count), let first = text.first, isAlphanumeric(first) else { return false }
    var last = first
    for byte in text {
      guard isAlphanumeric(byte) || byte == UInt8(ascii: "-") else { return false }
      last = byte
    }
    return isAlphanumeric(last)
  }
}

extension ManifestObject {
  /// Begins the strict reading of an object with `apiVersion`, `kind`, `metadata`, `spec` and a `status` that is not looked at.
  func fields(_ problems: Problems) -> Members? {
    Field(value: root, path: path, problems: problems).members("apiVersion", "kind", "metadata", "spec", "status")
  }

  /// `metadata.labels`, as far as they are strings; `objectName` reports what is wrong with them.
  var labels: [String: String] {
    guard case .map(let members)? = root["metadata"]?["labels"]?.content else { return [:] }
    return Dictionary(members.compactMap { member in member.value.string.map { (member.key, $0) } }, uniquingKeysWith: { $1 })
  }

  /// Reads and checks `metadata`; unknown members of it are reported.
  func objectName(_ fields: Members) -> ObjectName? {
    guard
      let metadata = fields.required("metadata")?.members(
        "name", "namespace", "labels", "annotations", "generateName", "uid", "resourceVersion", "generation", "creationTimestamp",
        "deletionTimestamp", "deletionGracePeriodSeconds", "ownerReferences", "finalizers", "managedFields", "selfLink"),
      let nameField = metadata.required("name", "a policy is reported by its name"), let name = nameField.string()
    else { return nil }
    if let labels = metadata["labels"] { _ = labels.stringMap() }
    if let annotations = metadata["annotations"] { _ = annotations.stringMap() }
    if !ObjectName.isSubdomain(name) {
      nameField.refuse("\(quoted(name)) is no object name", "use lower-case letters, digits, - and . only")
    }
    var namespace: String?
    if let field = metadata["namespace"], let text = field.string(), !text.isEmpty {
      if !ObjectName.isLabel(text.utf8) { field.refuse("\(quoted(text)) is no namespace name", "use lower-case letters, digits and - only") }
      namespace = text
    }
    return ObjectName(kind: kind, namespace: namespace, name: name)
  }
}

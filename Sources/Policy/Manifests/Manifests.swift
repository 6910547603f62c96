/// The Kubernetes objects of one file: multi-document YAML, JSON, `kind: List`, or a typed list such as PodList.
///
/// What cannot be read is in `errors`; the other objects are there all the same.
public struct Manifests: Sendable {
  public var objects: [ManifestObject] = []
  public var errors: [ManifestError] = []

  /// Nesting of lists in lists; nobody writes more.
  static let listDepth = 4

  /// `file` is what errors call it; nothing is opened.
  public static func read(_ text: String, file: String) -> Manifests {
    var manifests = Manifests()
    let text = text.hasPrefix("\u{feff}") ? String(text.dropFirst()) : text
    if let first = text.utf8.first(where: { $0 > 0x20 }), first == UInt8(ascii: "{") || first == UInt8(ascii: "["),
      let value = try? JSONText.value(of: text)
    {
      manifests.add(value, path: nil, document: 1, file: file)
      return manifests
    }
    // Not JSON after all, or broken: YAML's reader takes flow collections too, and says what is wrong.
    var allowance = YAMLText.aliasAllowance
    for (index, document) in YAMLText.documents(text).enumerated() {
      do throws(YAMLText.Failure) {
        manifests.add(try YAMLText.value(of: document, allowance: &allowance), path: nil, document: index + 1, file: file)
      } catch {
        switch error {
        case .failure(let line, let problem, let advice):
          manifests.errors.append(ManifestError(file: file, document: index + 1, line: line, problem: problem, advice: advice))
        }
      }
    }
    return manifests
  }

  private mutating func add(
    _ value: ManifestValue, path: FieldPath?, document: Int, file: String, depth: Int = 0, apiVersion: String? = nil, kind: String? = nil
  ) {
    let problems = Problems(file: file, document: document)
    defer { errors += problems.errors }
    let root = Field(value: value, path: path, problems: problems)
    switch value.content {
    case .null: return
    // A JSON array of objects, as some exporters write.
    case .list(let items) where path == nil:
      return addItems(items, path: nil, document: document, file: file, depth: depth, apiVersion: nil, kind: nil)
    case .map: break
    default: return root.refuse("an object is expected, not \(value.account)", "see `kubectl explain networkpolicy`")
    }
    guard let apiVersion = value["apiVersion"]?.string ?? apiVersion, let kind = value["kind"]?.string ?? kind else {
      return root.refuse("apiVersion and kind must both be there, as strings", "without them it cannot be told what the object is")
    }
    if kind.hasSuffix("List"), case .list(let items)? = value["items"]?.content {
      let item = kind == "List" ? nil : String(kind.dropLast(4))
      let items = (items, FieldPath(parent: path, component: .member("items")))
      return addItems(
        items.0, path: items.1, document: document, file: file, depth: depth, apiVersion: item == nil ? nil : apiVersion, kind: item)
    }
    if kind == "List" { return }
    objects.append(ManifestObject(apiVersion: apiVersion, kind: kind, file: file, document: document, line: value.line, root: value, path: path))
  }

  private mutating func addItems(
    _ items: [ManifestValue], path: FieldPath?, document: Int, file: String, depth: Int, apiVersion: String?, kind: String?
  ) {
    guard depth < Self.listDepth else {
      errors.append(
        ManifestError(
          file: file, document: document, line: items.first?.line ?? 1, path: path?.description ?? "",
          problem: "lists are nested deeper than \(Self.listDepth) levels"))
      return
    }
    for (index, item) in items.enumerated() {
      add(
        item, path: FieldPath(parent: path, component: .element(index)), document: document, file: file, depth: depth + 1,
        apiVersion: apiVersion, kind: kind)
    }
  }
}

/// One object of a manifest, before anyone has looked into its fields.
public struct ManifestObject: Sendable {
  public let apiVersion: String
  public let kind: String
  public let file: String
  public let document: Int
  /// Where the object begins.
  public let line: Int
  let root: ManifestValue
  /// Nil for a document of its own; `items[3]` inside a list.
  let path: FieldPath?

  /// The whole object, for strict reading.
  package func field(_ problems: Problems) -> Field { Field(value: root, path: path, problems: problems) }

  /// The part of `apiVersion` before the slash; empty for the core group.
  public var group: String {
    apiVersion.firstIndex(of: "/").map { String(apiVersion[..<$0]) } ?? ""
  }

  /// `metadata.name`, if it is a string.
  public var name: String? { root["metadata"]?["name"]?.string }
  /// `metadata.namespace`, if it is a string.
  public var namespace: String? { root["metadata"]?["namespace"]?.string }
}

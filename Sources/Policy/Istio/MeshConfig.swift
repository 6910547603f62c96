import EgressModel

/// What a mesh does unless a Sidecar says otherwise: the member `mesh` of the ConfigMap `istio`, or `istio-REVISION`.
///
/// Most of a MeshConfig is of no concern to egress and passed over.
/// ([API](https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/))
struct MeshConfig: PolicyObject {
  var name: ObjectName
  var outbound = OutboundTrafficPolicy.allowAny
  /// Where the Sidecar stands that applies to namespaces without one.
  var rootNamespace: String
  /// What ServiceEntries without `exportTo` are exported to.
  var defaultExportTo = ["*"]

  var rules: [RuleDescription] { [] }

  /// Nil without a problem for a ConfigMap that is about something else.
  static func read(_ object: ManifestObject, _ problems: Problems) -> MeshConfig? {
    guard object.name == "istio" || object.name?.hasPrefix("istio-") == true else { return nil }
    let root = Field(value: object.root, path: object.path, problems: problems)
    guard let fields = root.anyMembers(), let mesh = fields["data"]?.anyMembers()?["mesh"], let name = object.objectName(fields),
      let text = mesh.string()
    else { return nil }
    var config = MeshConfig(name: name, rootNamespace: name.namespace ?? "default")
    var allowance = YAMLText.aliasAllowance
    do throws(YAMLText.Failure) {
      let value = try YAMLText.value(of: YAMLText.Document(text: text[...], line: mesh.value.line), allowance: &allowance)
      if value.isNull { return config }
      guard let members = Field(value: value, path: mesh.path, problems: problems).anyMembers() else { return nil }
      // A field that is spelled almost right would leave the mesh open.
      for member in members.list where member.key != "outboundTrafficPolicy" && member.key.lowercased() == "outboundtrafficpolicy" {
        members.missing(member.key).refuse("unknown field", "write outboundTrafficPolicy")
      }
      if let policy = members["outboundTrafficPolicy"]?.members("mode") { config.outbound = policy.outboundMode() ?? .registryOnly }
      if let root = members["rootNamespace"]?.string(), !root.isEmpty { config.rootNamespace = root }
      if let exports = members["defaultServiceExportTo"]?.strings(), !exports.isEmpty { config.defaultExportTo = exports }
    } catch {
      if case .failure(let line, let problem, _) = error { mesh.refuse("line \(line - mesh.value.line + 1) of it: \(problem)") }
    }
    return config
  }
}

import ArgumentParser
import EgressModel
import Policy

/// `--policies` and `--inventory`, the same on every command that judges.
struct InputOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Policy manifests and systemd units: a file, a directory (read recursively) or - for standard input; may be repeated.", valueName: "path"))
  var policies: [String] = []
  @Option(help: ArgumentHelp("Kubernetes objects (kubectl get pods,namespaces,nodes,services -A -o yaml), as --policies.", valueName: "path"))
  var inventory: [String] = []

  func validate() throws {
    if (policies + inventory).count(where: { $0 == "-" }) > 1 { throw ValidationError("standard input (-) can be read only once.") }
  }

  /// Reads and parses everything; every error of every file is told, not only the first.
  func load(for engine: Engine) throws -> Declared {
    var declared = Declared(policies: PolicySet(engine: engine), hasPolicies: !policies.isEmpty)
    var reader = InventoryReader()
    var errors: [ManifestError] = []
    for file in try InputFile.manifests(at: policies, withUnitFiles: true) {
      if PolicySet.isUnitFile(file.path) {
        errors += declared.policies.add(file.text, file: file.path)
        continue
      }
      var manifests = Manifests.read(file.text, file: file.path)
      errors += declared.policies.add(manifests)
      // Told once: the reader below would tell them again.
      manifests.errors = []
      // Objects of a cluster that lie beside the policies are inventory, quietly.
      errors += reader.add(manifests)
    }
    for file in try InputFile.manifests(at: inventory) { errors += reader.add(file.text, file: file.path) }
    guard errors.isEmpty else { throw Trouble(listing: errors) }
    declared.inventory = reader.inventory
    if declared.hasPolicies, declared.policies.isEmpty {
      StandardError.write("egress-obs: --policies \(policies.joined(separator: " ")) holds no policy that is understood, so nothing is protected\n")
    }
    for unknown in declared.policies.notUnderstood { StandardError.write("egress-obs: \(unknown)\n") }
    for reference in declared.policies.notEnforced {
      StandardError.write("egress-obs: \(reference) is declared but not enforced by engine \(declared.policies.engine.rawValue), and was not judged by\n")
    }
    return declared
  }
}

/// What `--policies` and `--inventory` hold.
struct Declared: Sendable {
  var policies = PolicySet()
  var inventory = Inventory()
  /// Who had which address when, where more is known than the inventory's pods.
  var timeline: PodTimeline?
  /// Whether policies were asked for at all: without, flows get no verdict.
  var hasPolicies = false
}

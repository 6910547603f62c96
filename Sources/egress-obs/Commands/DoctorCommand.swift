import ArgumentParser
import Capture
import EgressModel
import Host
import Policy
import Reporting
import Storage

/// `egress-obs doctor`: what works here, and what to do about what does not.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "What works here: capabilities, interfaces, drops, unnamed share, policies not understood.",
    discussion: "Exits with 2 when something that run needs does not work.")

  @OptionGroup var database: DatabaseOption
  @OptionGroup var input: InputOptions
  @OptionGroup var engine: EngineOption
  @OptionGroup var kubernetes: KubernetesOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    var diagnoses = Diagnosis.host() + Diagnosis.capture()
    diagnoses += await Diagnosis.daemons()
    diagnoses += Diagnosis.database(at: database.db)
    if !input.policies.isEmpty || !input.inventory.isEmpty { diagnoses += Diagnosis.declared(try input.load(for: engine.engine)) }
    if let client = try kubernetes.client() { diagnoses += await Diagnosis.cluster(client) }
    StandardOutput.write(Listing.diagnoses.render(diagnoses, as: output.output, style: StandardOutput.style))
    if diagnoses.contains(where: { $0.status == .fail }) { throw ExitCode(2) }
  }
}

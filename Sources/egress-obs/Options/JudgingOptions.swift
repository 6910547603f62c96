import ArgumentParser
import Drift
import EgressModel
import Policy

/// `--engine`.
struct EngineOption: ParsableArguments {
  @Option(
    help: "Whose rules judge: \(Engine.allCases.map(\.rawValue).joined(separator: ", ")).",
    transform: { name in
      do {
        return try Engine(named: name)
      } catch {
        throw ValidationError("\(error)")
      }
    })
  var engine: Engine = .auto
}

/// What else decides how flows are judged and whose their destinations are.
struct JudgingOptions: ParsableArguments {
  @OptionGroup var engineOption: EngineOption
  @Option(
    help: ArgumentHelp("More vendors (suffix, vendor, category, flags; separated by tabs), before the built-in ones; may be repeated.", valueName: "file"))
  var vendors: [String] = []

  func catalogue() throws -> VendorCatalogue {
    let sources = try vendors.map { VendorCatalogue.Source(file: $0, text: try InputFile.one(at: $0)) }
    return try Trouble.naming { try VendorCatalogue(extensions: sources) }
  }

  func annotator(declared: Declared, catalogue: VendorCatalogue, local: [IPPrefix]?, nodeAddresses: [IPAddress] = []) -> Annotator {
    Annotator(declared: declared, vendors: catalogue, local: local, nodeAddresses: nodeAddresses)
  }
}

import ArgumentParser
import EgressModel
import Reporting

/// `--fail-on`.
struct FailOnOption: ParsableArguments {
  @Option(
    name: .customLong("fail-on"),
    help: ArgumentHelp(
      "Exit 1 when one of these findings is there (new,denied), or one of this severity or a graver one (warning), separated by commas.", valueName: "findings"),
    transform: { try FailureBar(words: $0, called: "finding") })
  var bar: FailureBar<FindingKind> = []
}

extension FailureBar where Kind: RawRepresentable & CaseIterable, Kind.RawValue == String {
  /// Reads words separated by commas: kinds, and a severity.
  init(words text: String, called noun: String) throws {
    let words = text.split(separator: ",").map(String.init)
    let severities = words.compactMap { Severity(rawValue: $0) }
    self.init(
      kinds: try Set(words: words.filter { Severity(rawValue: $0) == nil }, called: noun, besides: Severity.allCases.map(\.rawValue)), severity: severities.min())
  }
}

extension Set where Element: RawRepresentable & CaseIterable, Element.RawValue == String {
  /// Reads words separated by commas.
  init(words text: String, called noun: String) throws { try self.init(words: text.split(separator: ",").map(String.init), called: noun) }

  /// `others`: words that may stand there, too.
  fileprivate init(words: [String], called noun: String, besides others: [String] = []) throws {
    self = try Set(
      words.map { word in
        guard let element = Element(rawValue: word) else {
          throw ValidationError("\(word) is no \(noun); there is: \((Element.allCases.map(\.rawValue) + others).joined(separator: ", "))")
        }
        return element
      })
  }
}

import ArgumentParser
import EgressModel
import FoundationEssentials
import Glibc
import Reporting
import SystemPackage

/// `-o` of the commands that list.
struct OutputOptions: ParsableArguments {
  @Option(name: [.short, .customLong("output")], help: "How to print it.")
  var output: OutputFormat = .table
}

/// `-o` of the commands that CI reads.
struct ReportOutputOptions: ParsableArguments {
  @Option(name: [.short, .customLong("output")], help: "How to print it.")
  var output: ReportFormat = .listing(.table)
}

extension OutputFormat {
  /// Laid out for eyes; everything else is for machines and complete.
  var isForPeople: Bool { self == .table || self == .wide }
}

/// Standard output: results, and nothing else.
enum StandardOutput {
  static func write(_ text: String) { _ = try? FileDescriptor.standardOutput.writeAll(text.utf8) }

  /// Colour is for people: only on a terminal, and not when NO_COLOR is set (https://no-color.org).
  static var style: TextStyle {
    guard isatty(FileDescriptor.standardOutput.rawValue) == 1 else { return TextStyle() }
    let environment = ProcessInfo.processInfo.environment
    return TextStyle(
      usesColour: (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb",
      // Some shells export 0 when they do not know.
      width: environment["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil })
  }
}

/// Standard error: logs, progress, and what went wrong.
enum StandardError {
  static func write(_ text: String) { _ = try? FileDescriptor.standardError.writeAll(text.utf8) }
  static var isTerminal: Bool { isatty(FileDescriptor.standardError.rawValue) == 1 }
}

import Foundation
import Testing

/// What the README shows is what the program prints.
@Suite struct ReadmeTests {
  struct Step {
    var command: String
    var output: String
  }

  /// The commands of its transcripts, in order, with what follows each.
  static func steps(_ text: String) -> [Step] {
    var steps: [Step] = []
    var isTranscript = false
    var isCommand = false
    var hasCommand = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        isTranscript = line == "```console"
        hasCommand = false
      } else if isTranscript, line.hasPrefix("$ ") {
        steps.append(Step(command: String(line.dropFirst(2)), output: ""))
        isCommand = line.hasSuffix("\\")
        hasCommand = true
      } else if hasCommand {
        if isCommand {
          steps[steps.count - 1].command += "\n" + line
          isCommand = line.hasSuffix("\\")
        } else {
          steps[steps.count - 1].output += line + "\n"
        }
      }
    }
    return steps
  }

  @Test func `every transcript is what the commands print, byte for byte`() throws {
    let scratch = try TemporaryDirectory()
    // Not where a person's own attempt lies.
    let text = try String(contentsOfFile: Sample.root + "/README.md", encoding: .utf8).replacingOccurrences(of: "/tmp/", with: scratch.path + "/")
    let steps = Self.steps(text).filter { $0.command.hasPrefix("egress-obs ") }
    #expect(steps.count >= 10)
    let folder = URL(fileURLWithPath: Program.egressObs).deletingLastPathComponent().path
    for step in steps {
      let outcome = try Program(["bash", "-c", "cd '\(Sample.root)' && PATH='\(folder)':$PATH && { \(step.command)\n} 2>&1"]).wait()
      #expect(outcome.output == step.output, "\(step.command)")
    }
  }
}

import ArgumentParser

@main struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Make captures for measuring, and measure the parts of egress-obs in one process.",
    subcommands: [MakeCapture.self, Stages.self, Memory.self, GonePods.self, JudgeCluster.self])
}

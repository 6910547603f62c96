import ArgumentParser
import EgressModel
import Flows

struct Memory: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fill a FlowMeter with live flows, and print by how much the process grew for each, as a row of a Markdown table.")

  @Option(help: "Connections open at once.") var flows = 1_000_000

  func validate() throws {
    guard flows > 0 else { throw ValidationError("--flows is positive.") }
  }

  func run() throws {
    let traffic = ManyFlows(flows: flows)
    var configuration = FlowMeterConfiguration(seed: 1)
    configuration.capacity = max(configuration.capacity, flows)
    let before = try residentMemory()
    var meter = FlowMeter(configuration: configuration)
    var frames = 0
    _ = traffic.forEachFrame { microseconds, frame in
      let time = Timestamp(seconds: 1_790_000_000, nanoseconds: Int64(microseconds) * 1_000)
      meter.observe(frame.span, linkType: .ethernet, at: time, originalLength: frame.count)
      frames += 1
      if frames % LoadedCapture.batchSize == 0 { _ = meter.advance(to: time) }
    }
    let after = try residentMemory()
    let live = meter.counters.flowsLive
    guard live == flows else { throw ValidationError("only \(live) of \(flows) flows are live: this measures nothing.") }
    print("| \(live) | \((after - before) / live) |")
  }
}

import ArgumentParser
import Foundation

struct MakeCapture: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a capture that is the same for the same options, and beside it what it holds (.truth.json).")

  enum Shape: String, ExpressibleByArgument, CaseIterable { case mixed, manyFlows = "many-flows" }

  @Argument(help: "The file to write, ending in .pcap.") var output: String
  @Option(help: "mixed: TLS, QUIC, HTTP, TCP and DNS; many-flows: tiny connections, all open at once.") var shape = Shape.mixed
  @Option(help: "Connections, look-ups not counted (default: 25000, many-flows 1000000).") var flows: Int?
  @Option(help: "Connections open at a time (mixed).") var concurrency = 400
  @Option(help: "Clients (mixed).") var clients = 200
  @Option(help: "Different site names (mixed).") var sites = 3_000
  @Option(help: "Another seed gives other traffic of the same kind (mixed).") var seed: UInt64 = 1

  func validate() throws {
    guard output.hasSuffix(".pcap") else { throw ValidationError("OUTPUT ends in .pcap, not \(output).") }
    guard (flows ?? 1) > 0, concurrency > 0, clients > 0, clients < 60_000, sites > 0 else {
      throw ValidationError("--flows, --concurrency, --clients (below 60000) and --sites are positive.")
    }
  }

  func run() throws {
    let url = URL(filePath: output)
    var writer = try PcapWriter(creating: url)
    let counts =
      switch shape {
      case .mixed:
        try MixedTraffic(flows: flows ?? 25_000, concurrency: concurrency, clients: clients, sites: sites, seed: seed)
          .forEachFrame { try writer.write($1, at: $0) }
      case .manyFlows: try ManyFlows(flows: flows ?? 1_000_000).forEachFrame { try writer.write($1, at: $0) }
      }
    try writer.flush()
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    var truth = try encoder.encode(counts)
    truth.append(UInt8(ascii: "\n"))
    try truth.write(to: url.deletingPathExtension().appendingPathExtension("truth.json"))
    print(String(decoding: truth, as: UTF8.self), terminator: "")
  }
}

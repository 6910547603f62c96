import ArgumentParser
import Capture
import EgressModel
import Flows
import Foundation
import Wire

struct Stages: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Time each stage of a packet's way, in this one process, as a Markdown table.")

  @Argument(help: "A pcap or pcapng file; all but the first stage have it in memory.") var capture: String
  @Option(help: "Runs of each stage; the median is printed.") var runs = 5

  func validate() throws {
    guard runs > 0 else { throw ValidationError("--runs is positive.") }
  }

  func run() throws {
    let loaded = try LoadedCapture(reading: capture)
    var counters = FlowMeterCounters()
    let stages: [(label: String, nanoseconds: Double)] = [
      ("read frames (page cache)", try medianCPUTime(runs: runs, read)),
      ("decode, frames in memory", medianCPUTime(runs: runs) { decode(loaded) }),
      ("decode and meter, frames cut to their headers: flows alone", medianCPUTime(runs: runs) { _ = meter(loaded, headersOnly: true) }),
      ("decode and meter, whole frames: flows and names", medianCPUTime(runs: runs) { counters = meter(loaded, headersOnly: false) }),
    ]
    print("| stage | CPU ns/packet |\n| --- | ---: |")
    for stage in stages { print("| \(stage.label) | \(Int((stage.nanoseconds / Double(loaded.frames.count)).rounded())) |") }
    let connections = QUICOpenings(loaded)
    let initials = connections.datagramCount
    if initials > 0 {
      let opening = medianCPUTime(runs: runs) { consume(connections.open(loaded)) }
      let microseconds = (opening / Double(initials) / 100).rounded() / 10
      print("\n\(microseconds) µs of CPU per QUIC Initial: \(initials) datagrams that tell the ClientHellos of \(connections.count) connections.")
    }
    print("\n\(counters.frames) frames, \(counters.flowsStarted) flows, \(counters.flowsNamed) of them named by what they carry.")
  }

  private func read() throws {
    let source = try PacketSource(file: capture)
    var octets = 0
    while case .frames = try source.read(atMost: LoadedCapture.batchSize, { _, _, originalLength in octets &+= originalLength }) {}
    consume(octets)
  }

  private func decode(_ loaded: LoadedCapture) {
    var sum: UInt64 = 0
    let bytes = loaded.bytes.span
    for frame in loaded.frames {
      let packet = PacketDecoder.decode(bytes.extracting(frame.range), linkType: loaded.linkType, originalLength: frame.originalLength)
      sum &+= packet.source.low ^ packet.destination.low ^ packet.source.high ^ packet.destination.high
      sum &+= UInt64(packet.sourcePort) << 16 | UInt64(packet.destinationPort)
      sum &+= UInt64(truncatingIfNeeded: packet.payloadOffset &+ packet.payloadLength &+ packet.ipLength)
    }
    consume(Int(truncatingIfNeeded: sum))
  }

  private func meter(_ loaded: LoadedCapture, headersOnly: Bool) -> FlowMeterCounters {
    var meter = FlowMeter(configuration: FlowMeterConfiguration(seed: 1))
    var records = 0
    var untilAdvance = LoadedCapture.batchSize
    let bytes = loaded.bytes.span
    for frame in loaded.frames {
      let range = headersOnly ? frame.range.lowerBound..<frame.headerEnd : frame.range
      meter.observe(bytes.extracting(range), linkType: loaded.linkType, at: frame.time, originalLength: frame.originalLength)
      untilAdvance -= 1
      if untilAdvance == 0 {
        records += meter.advance(to: frame.time).records().count
        untilAdvance = LoadedCapture.batchSize
      }
    }
    if let last = loaded.frames.last { records += meter.drain(at: last.time).records().count }
    consume(records)
    return meter.counters
  }

  /// What is handed in here must have been computed.
  @inline(never) @_optimize(none) private func consume(_: Int) {}
}

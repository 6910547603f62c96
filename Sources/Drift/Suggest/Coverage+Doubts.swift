public import EgressModel

extension Coverage {
  /// Below this a nightly job may never have been seen.
  static let leastWatched = TimeSpan.seconds(86_400)

  /// Why a policy made of what was seen in this window may miss what the workload needs; empty when nothing speaks against it.
  public var doubts: [String] {
    var doubts: [String] = []
    if watched < Self.leastWatched.nanoseconds {
      doubts.append("only \(TimeSpan(nanoseconds: max(0, watched))) were watched, less than \(Self.leastWatched)")
    }
    if watchedShare < 0.95 { doubts.append("only \(watchedPercent)% of the window was watched") }
    let (frames, _) = packets.addingReportingOverflow(dropped)
    if dropped > 0, frames < packets || dropped > frames / 100 { doubts.append("\(dropped) of \(packets.saturatingSum(dropped)) packets were dropped") }
    if evicted > 0, evicted > externalFlows / 100 { doubts.append("\(evicted) flows or names were evicted to bound the memory") }
    return doubts
  }
}

import EgressModel
import Synchronization

/// What the daemon counts of its own work, and whether it is well.
final class DaemonCounters: Sendable {
  /// What flows are counted by. All of it is ours or the cluster's: a destination's name would let strangers choose how many there are.
  struct FlowLabels: Hashable, Comparable {
    var namespace: String
    var verdict: String
    var nameSource: String

    static func < (a: Self, b: Self) -> Bool { (a.namespace, a.verdict, a.nameSource) < (b.namespace, b.verdict, b.nameSource) }
  }

  struct AlertLabels: Hashable, Comparable {
    var hook: String
    var result: String

    static func < (a: Self, b: Self) -> Bool { (a.hook, a.result) < (b.hook, b.result) }
  }

  struct State {
    var flows: [FlowLabels: UInt64] = [:]
    var findings: [FindingKind: UInt64] = [:]
    var alerts: [AlertLabels: UInt64] = [:]
    /// Flows that wait in memory to be written.
    var waiting = 0
    var lost: UInt64 = 0
    var isWritable = true
    var isReady = false
    /// When the pump last turned.
    var turned = ContinuousClock.now
  }

  /// The most combinations of labels; further ones count under the namespace `other`.
  static let seriesLimit = 1024
  /// A pump that did not turn for so long hangs.
  static let patience = Duration.seconds(30)

  private let state = Mutex(State())

  var now: State { state.withLock { $0 } }

  func change(_ body: (inout sending State) -> sending Void) { state.withLock(body) }

  func note(_ outcome: Recorder.Outcome) {
    state.withLock { state in
      for flow in outcome.flows where flow.isFirstRecord { state.count(flow) }
    }
  }

  func note(alertTo hook: Hook, _ result: String) {
    state.withLock { $0.alerts[AlertLabels(hook: hook.label, result: result), default: 0] += 1 }
  }

  /// What hangs; nil when nothing does.
  var illness: String? {
    let silence = ContinuousClock.now - now.turned
    return silence > Self.patience ? "nothing was handed on for \(silence.components.seconds) s" : nil
  }

  /// Why the daemon does not do its work now; nil when it does.
  var hindrance: String? {
    let now = now
    return illness ?? (!now.isReady ? "capture has not begun" : !now.isWritable ? "the database cannot be written" : nil)
  }
}

extension DaemonCounters.State {
  fileprivate mutating func count(_ flow: FlowRecord) {
    for kind in flow.findings { findings[kind, default: 0] += 1 }
    var labels = DaemonCounters.FlowLabels(
      namespace: flow.workload?.namespace ?? "", verdict: flow.verdict?.decision.rawValue ?? "none", nameSource: flow.name?.source.rawValue ?? "none")
    if flows[labels] == nil, flows.count >= DaemonCounters.seriesLimit { labels.namespace = "other" }
    flows[labels, default: 0] += 1
  }
}

extension Hook {
  /// Without what a webhook's path and query may hold: a secret.
  fileprivate var label: String {
    switch self {
    case .exec: return key
    case .webhook(let url):
      let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
      let host = parts.count > 2 ? parts[2].split(separator: "@", omittingEmptySubsequences: false).last ?? "" : ""
      return "webhook:\(parts.first ?? "")//\(host)"
    }
  }
}

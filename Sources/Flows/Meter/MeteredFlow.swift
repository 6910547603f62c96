import EgressModel
import Wire

/// A flow as the meter knows it, on its way out: it ended, or is due for an interim record.
struct MeteredFlow {
  var flow: Flow
  var details: FlowDetails?
  var reason: FlowEndReason
}

extension FlowRecord {
  /// Moves what the flow said into the record.
  init(taking metered: inout MeteredFlow) {
    let (flow, details) = (metered.flow, metered.details.take())
    let isTurned = flow.initiator == .high
    self.init(
      id: flow.id, start: flow.start, end: max(flow.start, flow.last), transport: flow.key.transport, source: flow.key.end(flow.initiator),
      destination: flow.key.end(flow.responder), out: isTurned ? flow.high : flow.low, in: isTurned ? flow.low : flow.high,
      reportedOut: isTurned ? flow.reportedHigh : flow.reportedLow, reportedIn: isTurned ? flow.reportedLow : flow.reportedHigh,
      state: flow.state(isOver: metered.reason != .activeTimeout), endReason: metered.reason, application: flow.content.application,
      names: details?.names ?? [], tls: details?.recordedTLS, proxy: details?.proxy,
      encapsulation: details?.encapsulation.layers.map(\.name) ?? [], backend: details?.backend)
  }
}

extension FlowDetails {
  /// What the hello said. Whoever hides a name in it looked that name up; who looked up the very name that stands in the open, and got
  /// this address, hides nothing: the extension is GREASE ([RFC 9849 §6.2](https://www.rfc-editor.org/rfc/rfc9849#section-6.2)).
  fileprivate var recordedTLS: TLSFacts? {
    guard var tls, tls.ech == .outer, let sni = tls.sni, lookedUp.contains(where: { $0.name == sni && $0.confidence != .hint }) else { return tls }
    tls.ech = .grease
    return tls
  }

  /// Most trusted first.
  fileprivate var names: [NameEvidence] { certified.isEmpty ? saidOrLookedUp : saidOrLookedUp + certified }

  /// What the connection itself says settles which of several looked-up names fits.
  private var saidOrLookedUp: [NameEvidence] {
    guard let first = spoken.first else { return lookedUp }
    if let proxy, proxy.kind != .proxyProtocol { return lookedUp + spoken }
    // An address literal said as a name stands behind every real one.
    if first.confidence == .hint { return lookedUp + spoken }
    guard lookedUp.count > 1 else { return spoken + lookedUp }
    var lookedUp = lookedUp
    if let index = lookedUp.firstIndex(where: { $0.name == first.name && $0.confidence == .shared }) {
      var settled = lookedUp.remove(at: index)
      settled.confidence = .resolved
      lookedUp.insert(settled, at: 0)
    }
    return spoken + lookedUp
  }
}

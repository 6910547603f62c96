import EgressModel

extension Cluster {
  /// The verdict over every place where a connection may end: what they agree on, else undecidable.
  ///
  /// - Parameters:
  ///   - at: judges one place.
  ///   - unknown: judges when it is not known where the connection ends, and why.
  func verdict(over destination: Destination, at judge: (Place) -> Verdict, unknown: (String) -> Verdict) -> Verdict {
    let places: [Place]
    switch targets(of: destination) {
    case .places(let known): places = known
    case .unknown(let reason): return unknown(reason)
    }
    var verdict = judge(places[0])
    for place in places.dropFirst() {
      let next = judge(place)
      guard next.decision == verdict.decision else {
        return Verdict(
          decision: .undecidable,
          reason: "\(destination.address) leads to several pods, and the policies allow only some of them: "
            + (verdict.reason ?? next.reason ?? ""),
          selectedBy: verdict.selectedBy)
      }
      verdict.by = Array(Set(verdict.by).union(next.by)).sorted()
    }
    return verdict
  }
}

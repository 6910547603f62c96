public import EgressModel

extension Coverage {
  var withoutShares: Coverage {
    var coverage = self
    coverage.externalFlows = 0
    coverage.unnamedFlows = 0
    coverage.externalBytes = 0
    coverage.unnamedBytes = 0
    return coverage
  }

  mutating func count(_ endpoint: Endpoint) {
    if endpoint.isThirdParty, endpoint.application?.isEncryptedDNS == true, !encryptedDNSClients.contains(endpoint.workload.shortName) {
      encryptedDNSClients.append(endpoint.workload.shortName)
    }
    guard endpoint.scope == .external else { return }
    let bytes = endpoint.out.bytes.saturatingSum(endpoint.in.bytes)
    externalFlows = externalFlows.saturatingSum(endpoint.flows)
    externalBytes = externalBytes.saturatingSum(bytes)
    guard endpoint.namingGap != nil else { return }
    unnamedFlows = unnamedFlows.saturatingSum(endpoint.flows)
    unnamedBytes = unnamedBytes.saturatingSum(bytes)
  }

  /// How much of the window somebody watched, from 0 to 1; 1 for an empty window.
  public var watchedShare: Double {
    let span = until.since(from)
    guard span > 0 else { return 1 }
    return min(1, max(0, Double(watched) / Double(span)))
  }

  /// As a whole number, cut rather than rounded: 100 only when nothing is missing.
  var watchedPercent: Int { Int(watchedShare * 100) }
}

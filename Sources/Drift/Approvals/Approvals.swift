public import EgressModel

/// What was accepted, as a lock file under review holds it: one approval for each workload and endpoint, in a stable order.
public struct Approvals: Hashable, Sendable {
  /// Sorted by workload and endpoint.
  public private(set) var list: [Approval] = []

  public init() {}

  public var isEmpty: Bool { list.isEmpty }

  /// Takes the place of an approval of the same endpoint for the same workload; that one is given back.
  @discardableResult public mutating func add(_ approval: Approval) -> Approval? {
    let key = Self.key(approval)
    var (low, high) = (0, list.count)
    while low < high {
      let middle = (low + high) / 2
      if Self.key(list[middle]) < key { low = middle + 1 } else { high = middle }
    }
    if low < list.count, Self.key(list[low]) == key {
      defer { list[low] = approval }
      return list[low]
    }
    list.insert(approval, at: low)
    return nil
  }

  /// Whether it holds an approval of this very endpoint for this workload.
  public func contains(_ endpoint: Approval.Endpoint, for workload: String) -> Bool {
    list.contains { $0.workload == workload && $0.endpoint == endpoint }
  }

  private static func key(_ approval: Approval) -> (String, String) { (approval.workload, approval.endpoint.description) }

  /// What is accepted of a conversation at a time.
  public enum Standing: Hashable, Sendable {
    case unknown
    case approved(Approval)
    /// Approved once.
    case expired(Approval)
  }

  public func standing(of destination: Destination, for workload: String, at time: Timestamp) -> Standing {
    var standing = Standing.unknown
    var (low, high) = (0, list.count)
    while low < high {
      let middle = (low + high) / 2
      if list[middle].workload < workload { low = middle + 1 } else { high = middle }
    }
    for approval in list[low...].prefix(while: { $0.workload == workload }) where approval.endpoint.covers(destination) {
      if !approval.isExpired(at: time) { return .approved(approval) }
      if case .unknown = standing { standing = .expired(approval) }
    }
    return standing
  }
}

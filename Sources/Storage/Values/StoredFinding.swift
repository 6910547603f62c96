public import EgressModel

public struct FindingID: Hashable, Sendable {
  public let rawValue: Int64
  public init(rawValue: Int64) { self.rawValue = rawValue }
}

/// A finding as it was recorded; `finding.samples` are those sample flows that are still kept.
public struct StoredFinding: Equatable, Sendable {
  public var id: FindingID
  public var finding: Finding
  /// How often it was raised.
  public var count: UInt64
}

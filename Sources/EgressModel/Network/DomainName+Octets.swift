extension DomainName {
  /// Takes octets that a decoder built with `append(_:to:)`, label by label with `.` between them; none make the root.
  public init(appended octets: [UInt8]) {
    self.init(unchecked: octets.isEmpty ? "." : String(decoding: octets, as: UTF8.self))
  }

  private init(unchecked text: String) { self.text = text }
}

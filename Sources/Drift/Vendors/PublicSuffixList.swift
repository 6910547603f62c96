internal import CPSL
public import EgressModel

/// The [Public Suffix List](https://publicsuffix.org), as compiled into the system's libpsl: where a registry ends and a registrant begins.
public enum PublicSuffixList {
  /// The domain that somebody registered: `example.co.uk` for `api.example.co.uk`.
  ///
  /// Nil for a public suffix itself (`co.uk`), the root, an address literal, and text that is no sequence of labels. A suffix that the list
  /// does not know counts as one label long, as the list's algorithm prescribes.
  public static func registrableDomain(of name: DomainName) -> DomainName? {
    let text = name.text
    // libpsl reads a C string of any length; a name in presentation form is at most four times 255 octets.
    guard text.utf8.count <= 1020, !text.utf8.contains(0), IPAddress(text) == nil,
      !text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).contains(where: \.isEmpty)
    else { return nil }
    // The result points into the argument, so it is copied before the argument goes; the builtin list is constant and never freed.
    return unsafe text.withCString { start in
      guard let list = unsafe psl_builtin(), let domain = unsafe psl_registrable_domain(list, start) else { return nil }
      return unsafe DomainName(presentation: String(cString: domain))
    }
  }
}

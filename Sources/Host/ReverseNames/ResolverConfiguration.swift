public import EgressModel

/// Whom this host asks for names: the `nameserver` lines of [resolv.conf(5)](https://man7.org/linux/man-pages/man5/resolv.conf.5.html).
public struct ResolverConfiguration: Equatable, Sendable {
  /// In the order of the file, port 53; three at most, as libc does. Servers with a zone (`fe80::1%eth0`) are left out.
  public var nameservers: [SocketAddress]

  public init(nameservers: [SocketAddress]) { self.nameservers = nameservers }

  public static func current(path: String = "/etc/resolv.conf") throws(HostError) -> ResolverConfiguration {
    let configuration = ResolverConfiguration(resolvConf: try TextFile.read(path))
    guard !configuration.nameservers.isEmpty else { throw .noNameserver(path: path) }
    return configuration
  }

  public init(resolvConf text: String) {
    let addresses = text.split(whereSeparator: \.isNewline).compactMap { line -> IPAddress? in
      let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
      guard words.count >= 2, words[0] == "nameserver" else { return nil }
      return IPAddress(String(words[1]))
    }
    nameservers = addresses.prefix(3).map { SocketAddress(ip: $0, port: 53) }
  }
}

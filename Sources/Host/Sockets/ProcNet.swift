internal import EgressModel

/// The kernel's socket lists as text, `/proc/net/tcp` and its like ([proc_net(5)](https://man7.org/linux/man-pages/man5/proc_net.5.html)),
/// for hosts without sock_diag. They lack the control group, so the owner has to be found by inode.
enum ProcNet {
  static func entries(_ transport: Transport) -> [SocketEntry] {
    guard transport == .tcp || transport == .udp else { return [] }
    return ["", "6"].flatMap { suffix in
      (try? TextFile.read("/proc/net/\(transport)\(suffix)", limit: 64 << 20)).map { parse($0, transport, isV6: suffix == "6") } ?? []
    }
  }

  /// One entry a line; the heading and lines that are not understood are passed over.
  static func parse(_ text: String, _ transport: Transport, isV6: Bool) -> [SocketEntry] {
    text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ", omittingEmptySubsequences: true)
      guard fields.count >= 10, let local = address(fields[1], isV6), let remote = address(fields[2], isV6),
        let state = UInt8(fields[3], radix: 16), let uid = UInt32(fields[7]), let inode = UInt64(fields[9])
      else { return nil }
      return SocketEntry(
        transport: transport, local: local, remote: remote, state: SocketEntry.State(rawValue: state), inode: inode, uid: uid, isV6: isV6)
    }
  }

  /// `0100007F:0035`: words of 32 bits printed in the host's order, then the port.
  private static func address(_ text: Substring, _ isV6: Bool) -> SocketAddress? {
    let parts = text.split(separator: ":")
    guard parts.count == 2, parts[0].utf8.count == (isV6 ? 32 : 8), let port = UInt16(parts[1], radix: 16) else { return nil }
    var words: [UInt32] = []
    var rest = parts[0]
    while !rest.isEmpty {
      guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
      words.append(UInt32(bigEndian: word))
      rest = rest.dropFirst(8)
    }
    let ip =
      isV6
      ? IPAddress(high: UInt64(words[0]) << 32 | UInt64(words[1]), low: UInt64(words[2]) << 32 | UInt64(words[3])) : IPAddress(v4: words[0])
    return SocketAddress(ip: ip, port: port)
  }
}

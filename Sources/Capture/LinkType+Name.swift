internal import CPcap
public import EgressModel

extension LinkType {
  /// The link types that the decoder knows; a source with any other is refused.
  public static let decodable: [LinkType] = [
    .ethernet, .linuxSLL, .linuxSLL2, .raw, .ipv4, .ipv6, .null, .loop, .nflog, .ppp, .pppSerial, .pppEthernet, .ciscoHDLC, .mpls, .wifi,
    .radiotap, .fddi,
  ]

  /// libpcap's name: `EN10MB`, `LINUX_SLL2`, `RAW`; the number when it has none.
  public var name: String {
    // The string is libpcap's own and never freed.
    guard let name = unsafe pcap_datalink_val_to_name(rawValue) else { return String(rawValue) }
    return unsafe String(cString: name)
  }
}

public import EgressModel

/// Why frames cannot be had, or had no longer. Every description names the source, the cause and the next step.
public enum CaptureError: Error, Equatable, Sendable {
  /// The file cannot be opened or read; `cause` is the system's word for it (`No such file or directory`).
  case unreadableFile(path: String, cause: String)
  /// The file is a directory.
  case directory(path: String)
  /// The file holds not one octet (`/dev/null`, an interrupted copy).
  case emptyFile(path: String)
  /// The first octets are no capture's. `compressed` is set when they are gzip's.
  case notACapture(path: String, compressed: Bool)
  /// The file ends inside a header or a frame; the frames before were handed out.
  case endsEarly(path: String, frames: UInt64, cause: String)
  /// A record contradicts the format; the frames before were handed out.
  case corruptFile(path: String, frames: UInt64, cause: String)
  /// A pcapng file with interfaces that libpcap cannot read together: another link type or capture length.
  case mixedInterfaces(path: String, frames: UInt64, cause: String)
  /// The source, a file or an interface, gives frames that nothing here can decode.
  case unsupportedLinkType(source: String, linkType: LinkType, name: String)

  /// No interface has this name; `available` are those that could be captured on.
  case noSuchInterface(name: String, available: [String])
  case permissionDenied(interface: String)
  /// The interface exists and is administratively down; capture can begin when it comes up.
  case interfaceDown(name: String)
  /// The interface was deleted or replaced while it was captured on; open it again when it returns.
  case interfaceGone(name: String)
  /// libpcap or the kernel failed in some other way.
  case captureFailed(interface: String, cause: String)
  /// The kernel did not take the filter; `cause` is libpcap's word for it.
  case filterRefused(interface: String, cause: String)
}

extension CaptureError {
  /// Whether waiting for the interface and opening it again may help.
  public var isAboutAbsentInterface: Bool {
    switch self {
    case .noSuchInterface, .interfaceDown, .interfaceGone: true
    default: false
    }
  }
}

extension CaptureError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadableFile(let path, let cause):
      "cannot read \(path): \(cause) (check the path and its permissions)"
    case .directory(let path):
      "cannot read \(path): it is a directory (name the capture files in it: \(path.hasSuffix("/") ? path : path + "/")*.pcap)"
    case .emptyFile(let path):
      "cannot read \(path): the file is empty (was the capture written and closed?)"
    case .notACapture(let path, compressed: false):
      "cannot read \(path): it is neither pcap nor pcapng (convert it: editcap -F pcap \(path) OUT.pcap)"
    case .notACapture(let path, compressed: true):
      "cannot read \(path): it is compressed (unpack it: gunzip -c \(path) | egress-obs replay -)"
    case .endsEarly(let path, let frames, let cause):
      "\(path) ends early, after \(frames) frames: \(cause) (what was read is reported; copy the file again or stop its writer first)"
    case .corruptFile(let path, let frames, let cause):
      "\(path) is corrupt after \(frames) frames: \(cause) (what was read is reported; the rest cannot be)"
    case .mixedInterfaces(let path, let frames, let cause):
      "\(path) mixes interfaces that cannot be read together, after \(frames) frames: \(cause) "
        + "(split it: tshark -r \(path) -Y 'frame.interface_id == 1' -w OUT.pcapng)"
    case .unsupportedLinkType(let source, let linkType, let name):
      "cannot decode \(source): link type \(name) (\(linkType.rawValue)) is not supported "
        + "(supported: \(LinkType.decodable.map(\.name).joined(separator: ", ")))"
    case .noSuchInterface(let name, let available):
      "cannot capture on \(name): no such interface (there is: \(available.isEmpty ? "none" : available.joined(separator: ", ")))"
    case .permissionDenied(let interface):
      "cannot capture on \(interface): permission denied (needs CAP_NET_RAW: run as root, "
        + "setcap cap_net_raw+ep on the binary, or AmbientCapabilities=CAP_NET_RAW in its systemd unit)"
    case .interfaceDown(let name):
      "cannot capture on \(name): the interface is down (ip link set \(name) up)"
    case .interfaceGone(let name):
      "cannot capture on \(name) any longer: the interface is gone (capture resumes when it is back)"
    case .captureFailed(let interface, let cause):
      "cannot capture on \(interface): \(cause) (see egress-obs doctor)"
    case .filterRefused(let interface, let cause):
      "cannot set the kernel filter on \(interface): \(cause) (capture without it: slower, otherwise the same)"
    }
  }
}

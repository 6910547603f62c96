internal import CPcap
internal import EgressModel
internal import Glibc

extension PacketSource {
  /// Opens an interface, or `any` for all of them: not promiscuous, non-blocking, nanosecond time stamps, filtered in the kernel.
  public convenience init(interface name: String, configuration: CaptureConfiguration = CaptureConfiguration()) throws(CaptureError) {
    var reason: [CChar] = Array(repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
    guard let handle = unsafe pcap_create(name, &reason) else {
      throw .captureFailed(interface: name, cause: String(nulTerminated: reason))
    }
    var taken = false
    defer { if !taken { unsafe pcap_close(handle) } }

    var warnings: [String] = []
    // These fail only on a handle that is active already. In immediate mode libpcap leaves TPACKET_V3 and its batches.
    unsafe pcap_set_snaplen(handle, configuration.snapLength)
    unsafe pcap_set_promisc(handle, 0)
    unsafe pcap_set_timeout(handle, configuration.blockTimeout)
    unsafe pcap_set_buffer_size(handle, configuration.bufferSize)
    if configuration.isImmediate { unsafe pcap_set_immediate_mode(handle, 1) }
    guard unsafe pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO) == 0 else {
      throw .captureFailed(interface: name, cause: "no nanosecond time stamps")
    }
    let index = unsafe if_nametoindex(name)
    let status = unsafe pcap_activate(handle)
    let cause = unsafe String(cString: pcap_geterr(handle))
    guard status >= 0 else { throw .activating(interface: name, status: status, cause: cause) }
    if status > 0 { warnings.append(cause.isEmpty ? unsafe String(cString: pcap_statustostr(status)) : cause) }

    // `any` is SLL by default; SLL2 says which interface a frame was on.
    if name == "any" { unsafe pcap_set_datalink(handle, LinkType.linuxSLL2.rawValue) }
    // A blocking read may never return on a silent link with TPACKET_V3, whatever the timeout.
    guard unsafe pcap_setnonblock(handle, 1, &reason) == 0 else {
      throw .captureFailed(interface: name, cause: String(nulTerminated: reason))
    }
    let linkType = unsafe LinkType(rawValue: pcap_datalink(handle))
    guard LinkType.decodable.contains(linkType) else {
      throw .unsupportedLinkType(source: name, linkType: linkType, name: linkType.name)
    }
    if let filter = configuration.filter {
      if let program = filter.program(for: linkType) {
        guard unsafe Self.set(program, on: handle) else {
          throw .filterRefused(interface: name, cause: unsafe String(cString: pcap_geterr(handle)))
        }
      } else {
        warnings.append("no kernel filter for link type \(linkType.name)")
      }
    }
    taken = true
    unsafe self.init(handle: handle, origin: .interface(name: name, index: index), warnings: warnings)
  }

  /// Has the kernel add nothing more to the ring; what is in it can still be read.
  ///
  /// - Returns: when that was.
  func stopReceiving() throws(CaptureError) -> Timestamp {
    guard case .interface(let name, _) = origin else { preconditionFailure("a file receives nothing") }
    guard unsafe cpcap_receive_nothing(handle) == 0 else {
      throw .captureFailed(interface: name, cause: unsafe String(cString: strerror(errno)))
    }
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    return Timestamp(seconds: Int64(now.tv_sec), nanoseconds: Int64(now.tv_nsec))
  }

  private static func set(_ program: [BPFInstruction], on handle: OpaquePointer) -> Bool {
    var instructions = program.map { bpf_insn(code: $0.code, jt: $0.jumpTrue, jf: $0.jumpFalse, k: $0.operand) }
    // libpcap copies the program before it returns.
    return unsafe instructions.withUnsafeMutableBufferPointer { buffer in
      var program = unsafe bpf_program(bf_len: UInt32(buffer.count), bf_insns: buffer.baseAddress)
      return unsafe pcap_setfilter(handle, &program) == 0
    }
  }
}

extension CaptureError {
  static func activating(interface: String, status: Int32, cause: String) -> CaptureError {
    switch status {
    case PCAP_ERROR_NO_SUCH_DEVICE:
      .noSuchInterface(name: interface, available: NetworkInterface.all().map(\.name))
    case PCAP_ERROR_PERM_DENIED, PCAP_ERROR_PROMISC_PERM_DENIED: .permissionDenied(interface: interface)
    case PCAP_ERROR_IFACE_NOT_UP: .interfaceDown(name: interface)
    default:
      .captureFailed(interface: interface, cause: cause.isEmpty ? unsafe String(cString: pcap_statustostr(status)) : cause)
    }
  }

  /// libpcap reports a deleted interface in words only, so the system is asked as well.
  static func capturing(interface: String, index: UInt32, cause: String) -> CaptureError {
    let isSame = unsafe interface == "any" || if_nametoindex(interface) == index
    if !isSame || cause.contains("disappeared") { return .interfaceGone(name: interface) }
    if cause.contains("went down") { return .interfaceDown(name: interface) }
    return .captureFailed(interface: interface, cause: cause)
  }
}

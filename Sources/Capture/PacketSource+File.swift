internal import CPcap
internal import EgressModel
internal import Glibc

extension PacketSource {
  /// Opens a pcap or pcapng file, of microsecond or nanosecond precision and either byte order; `-` is standard input.
  public convenience init(file path: String) throws(CaptureError) {
    guard let file = unsafe path == "-" ? fdopen(dup(STDIN_FILENO), "rb") : fopen(path, "rb") else {
      throw .unreadableFile(path: path, cause: unsafe String(cString: strerror(errno)))
    }
    var taken = false
    // libpcap closes the file with the handle, but not when it refuses it.
    defer { if !taken { unsafe fclose(file) } }

    var status = stat()
    if unsafe fstat(fileno(file), &status) == 0, status.st_mode & S_IFMT == S_IFDIR { throw .directory(path: path) }
    let first = unsafe getc(file)
    guard first != EOF else {
      throw unsafe ferror(file) == 0 ? .emptyFile(path: path) : .unreadableFile(path: path, cause: String(cString: strerror(errno)))
    }
    unsafe ungetc(first, file)

    var reason: [CChar] = Array(repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
    guard let handle = unsafe pcap_fopen_offline_with_tstamp_precision(file, UInt32(PCAP_TSTAMP_PRECISION_NANO), &reason) else {
      let cause = String(nulTerminated: reason)
      // No capture format begins with gzip's first octet.
      if cause.contains("unknown file format") { throw .notACapture(path: path, compressed: first == 0x1f) }
      throw .reading(path: path, frames: 0, cause: cause)
    }
    taken = true
    unsafe self.init(handle: handle, origin: .file(path: path), warnings: [], descriptor: fileno(file))
    guard LinkType.decodable.contains(linkType) else {
      throw .unsupportedLinkType(source: path, linkType: linkType, name: linkType.name)
    }
  }
}

extension CaptureError {
  /// libpcap tells these apart in words only (`sf-pcap.c`, `sf-pcapng.c`).
  static func reading(path: String, frames: UInt64, cause: String) -> CaptureError {
    if cause.contains("truncated") { return .endsEarly(path: path, frames: frames, cause: cause) }
    if cause.contains("different from the") && cause.contains("interface") {
      return .mixedInterfaces(path: path, frames: frames, cause: cause)
    }
    return .corruptFile(path: path, frames: frames, cause: cause)
  }
}

extension String {
  /// The text before the first NUL of a C buffer.
  init(nulTerminated buffer: [CChar]) {
    self.init(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

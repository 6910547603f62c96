internal import Glibc

/// Files of any kind, whose size is not known before they are read: pipes (`<(helm template …)`), devices, /proc.
public enum FileContents {
  /// The file's octets; at most `limit` of them.
  public static func read(_ path: String, limit: Int) throws(HostError) -> [UInt8] {
    guard let file = Descriptor(unsafe open(path, O_RDONLY | O_CLOEXEC)) else {
      throw .unreadable(path: path, cause: lastSystemError)
    }
    var octets: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while octets.count < limit {
      // The buffer is valid for its own count during the call.
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(file.number, $0.baseAddress, min($0.count, limit - octets.count)) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .unreadable(path: path, cause: lastSystemError) }
      if count == 0 { break }
      octets += buffer[..<count]
    }
    return octets
  }
}

internal import Glibc

/// Tells systemd how the service is doing, by the protocol of [sd_notify(3)](https://www.freedesktop.org/software/systemd/man/sd_notify.html).
public struct SystemdNotifier: Sendable {
  public enum State: Sendable {
    case ready
    /// Configuration is being read again; `ready` follows.
    case reloading
    case stopping
    case watchdog
    /// One line for `systemctl status`.
    case status(String)
  }

  private let socketPath: String
  /// How often `watchdog` is expected, in microseconds; nil when the unit has none. Send it twice as often.
  public let watchdogMicroseconds: UInt64?

  /// Takes `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`; nil when nobody listens.
  public init?(environment: [String: String]) {
    // A path, or `@` for a name in the abstract namespace; the rest (vsock) is for virtual machines.
    guard let path = environment["NOTIFY_SOCKET"], path.hasPrefix("/") || path.hasPrefix("@"), path.utf8.count < 108 else { return nil }
    socketPath = path
    let isForUs = environment["WATCHDOG_PID"].map { $0 == String(getpid()) } ?? true
    watchdogMicroseconds = isForUs ? environment["WATCHDOG_USEC"].flatMap { UInt64($0) }.flatMap { $0 == 0 ? nil : $0 } : nil
  }

  public func notify(_ states: State...) throws(HostError) {
    guard let descriptor = Descriptor(socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)) else {
      throw .socket(what: "notify systemd", cause: lastSystemError)
    }
    let message = Array(states.map(Self.assignments).joined(separator: "\n").utf8)
    // struct sockaddr_un: the family, then the path; an abstract name begins with a NUL and ends with the length.
    var address = UInt16(AF_UNIX).hostOctets + Array(socketPath.utf8)
    if socketPath.hasPrefix("@") { address[2] = 0 } else { address.append(0) }
    let sent = unsafe address.withUnsafeBytes { address in
      let target = unsafe address.baseAddress?.assumingMemoryBound(to: sockaddr.self)
      return unsafe message.withUnsafeBytes {
        unsafe sendto(descriptor.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL), target, socklen_t(address.count))
      }
    }
    guard sent == message.count else { throw .socket(what: "notify systemd at \(socketPath)", cause: lastSystemError) }
  }

  private static func assignments(_ state: State) -> String {
    switch state {
    case .ready: return "READY=1"
    case .stopping: return "STOPPING=1"
    case .watchdog: return "WATCHDOG=1"
    case .status(let text): return "STATUS=" + text.split(whereSeparator: \.isNewline).joined(separator: " ")
    case .reloading:
      var now = timespec()
      unsafe clock_gettime(CLOCK_MONOTONIC, &now)
      return "RELOADING=1\nMONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1000)"
    }
  }
}

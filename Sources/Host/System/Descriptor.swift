internal import Glibc

/// A file descriptor that is closed with its owner.
struct Descriptor: ~Copyable {
  let number: Int32

  /// Takes over what a system call returned; nil when it failed.
  init?(_ number: Int32) {
    guard number >= 0 else { return nil }
    self.number = number
  }

  deinit { _ = close(number) }
}

/// The system's words for the last failure.
var lastSystemError: String { unsafe String(cString: strerror(errno)) }

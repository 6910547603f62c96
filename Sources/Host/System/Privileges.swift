internal import Glibc

/// What the process may do, for it to give up what it does not need.
///
/// The kernel keeps rights by thread, and a new thread has those of its maker: so give up before there is a second one.
public enum Privileges {
  /// Keeps of the capabilities held only these (names as in `Capabilities`): effective, permitted and, for programs started later, bounding. Nothing
  /// started later gets more by its file either (`no_new_privs`).
  ///
  /// - Returns: the names kept.
  @discardableResult public static func keep(_ names: Set<String>) throws(HostError) -> Set<String> {
    let held = try Capabilities.current()
    let kept = held.permitted.intersection(names)
    // Only who may set capabilities may lower the bound, and only where there are rights to lose does it matter.
    if held.has("setpcap") {
      for bit in Capabilities.names.indices where !names.contains(Capabilities.names[bit]) {
        guard control(dropFromBounding, UInt(bit)) == 0 || errno == EINVAL else { throw failure }
      }
    }
    // Programs that we start inherit nothing; a kernel before 4.3 has no ambient set.
    _ = control(ambient, clearAll)
    // A sandbox that leaves nothing to give up may also forbid the call.
    if held.permitted != kept || held.effective != kept { try set(mask(of: kept)) }
    guard control(noNewPrivileges, 1) == 0 else { throw failure }
    return kept
  }

  private static var failure: HostError { .socket(what: "give up capabilities", cause: lastSystemError) }

  /// The capabilities as the bits of a set.
  private static func mask(of names: Set<String>) -> UInt64 {
    Capabilities.names.enumerated().reduce(0) { names.contains($1.element) ? $0 | 1 << UInt64($1.offset) : $0 }
  }

  /// Effective and permitted; nothing is inheritable.
  private static func set(_ mask: UInt64) throws(HostError) {
    // struct __user_cap_header_struct: _LINUX_CAPABILITY_VERSION_3, and 0 for the calling thread. Then twice effective, permitted, inheritable.
    var header: [UInt32] = [0x2008_0522, 0]
    let (low, high) = (UInt32(truncatingIfNeeded: mask), UInt32(truncatingIfNeeded: mask >> 32))
    var data: [UInt32] = [low, low, 0, high, high, 0]
    // Both arrays have the sizes of their structures and outlive the call.
    guard unsafe capset(&header, &data) == 0 else { throw failure }
  }

  /// PR_CAPBSET_DROP, PR_CAP_AMBIENT with PR_CAP_AMBIENT_CLEAR_ALL, PR_SET_NO_NEW_PRIVS of linux/prctl.h.
  private static let dropFromBounding: Int32 = 24
  private static let ambient: Int32 = 47
  private static let clearAll: UInt = 4
  private static let noNewPrivileges: Int32 = 38

  private static func control(_ option: Int32, _ argument: UInt) -> Int32 { prctl(option, argument, 0, 0, 0) }

  // Swift's Glibc module has neither: <sys/prctl.h> declares a function of variable arguments, which is called with all five, and capset(2) stands in no
  // header of libc. Both symbols are part of every glibc.
  private static let prctl = unsafe unsafeBitCast(
    dlsym(nil, "prctl"), to: (@convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32).self)
  private static let capset = unsafe unsafeBitCast(
    dlsym(nil, "capset"), to: (@convention(c) (UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<UInt32>) -> Int32).self)
}

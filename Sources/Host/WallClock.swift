public import EgressModel
internal import Glibc

/// The system's clock. The pure core takes time as a parameter; only the shells read it, here.
public enum WallClock {
  /// Now, in UTC; may step when somebody sets the clock.
  public static var now: Timestamp {
    var time = timespec()
    // The pointer is to a local that outlives the call.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
  }
}

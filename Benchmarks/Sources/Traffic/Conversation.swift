/// The frames of one look-up and the connection that follows it, each with its delay after the one before.
struct Conversation {
  private(set) var bytes: [UInt8] = []
  private var frames: [(delay: UInt64, end: Int)] = []
  private var next = 0
  private var identification: UInt16

  init(identification: UInt16) { self.identification = identification }

  /// Microseconds from the frame before to the next one; nil when nothing is left.
  var delay: UInt64? { next < frames.count ? frames[next].delay : nil }

  mutating func takeFrame() -> Range<Int> {
    let range = (next == 0 ? 0 : frames[next - 1].end)..<frames[next].end
    next += 1
    return range
  }

  /// `delay` is in microseconds.
  mutating func appendTCP(after delay: Double, _ path: Path, _ direction: Path.Direction, _ header: Frame.TCPHeader, payload: ArraySlice<UInt8> = []) {
    Frame.appendTCP(to: &bytes, path, direction, identification: identification, header, payload: payload)
    finish(delay)
  }

  mutating func appendUDP(after delay: Double, _ path: Path, _ direction: Path.Direction, payload: ArraySlice<UInt8>) {
    Frame.appendUDP(to: &bytes, path, direction, identification: identification, payload: payload)
    finish(delay)
  }

  private mutating func finish(_ delay: Double) {
    frames.append((UInt64(delay), bytes.count))
    identification &+= 1
  }
}

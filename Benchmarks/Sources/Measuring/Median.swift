/// The middle of so many runs, in nanoseconds.
func medianDuration(runs: Int, _ body: () throws -> Void) rethrows -> Double {
  let clock = ContinuousClock()
  var durations = try (0..<runs).map { _ in try clock.measure { try body() } }
  durations.sort()
  let middle = (durations[(runs - 1) / 2] + durations[runs / 2]) / 2
  return Double(middle.components.seconds) * 1e9 + Double(middle.components.attoseconds) / 1e9
}

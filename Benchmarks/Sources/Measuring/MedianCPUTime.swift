import Glibc

/// In nanoseconds of this process's CPU: what else the machine does disturbs that least.
func cpuTime(_ body: () throws -> Void) rethrows -> Double {
  let start = clock()
  try body()
  return Double(clock() - start) * 1e9 / Double(CLOCKS_PER_SEC)
}

/// The middle of so many runs, in nanoseconds of this process's CPU.
func medianCPUTime(runs: Int, _ body: () throws -> Void) rethrows -> Double {
  let durations = try (0..<runs).map { _ in try cpuTime(body) }.sorted()
  return (durations[(runs - 1) / 2] + durations[runs / 2]) / 2
}

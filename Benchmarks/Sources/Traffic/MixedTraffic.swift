/// Conversations of a `TrafficModel`, so many at a time, their frames merged by time.
struct MixedTraffic {
  var flows = 25_000
  var concurrency = 400
  var clients = 200
  var sites = 3_000
  var seed: UInt64 = 1

  /// Calls `body` with the time in microseconds since the first conversation could begin and the octets of each frame, in order of time.
  func forEachFrame(_ body: (_ time: UInt64, _ frame: ArraySlice<UInt8>) throws -> Void) throws -> TrafficCounts {
    var model = TrafficModel(seed: seed, sites: sites, clients: clients)
    var starts = SplitMix64(seed: ~seed)
    var agenda = Agenda()
    var live: [Conversation] = []
    var frames = TrafficCounts()
    for slot in 0..<min(concurrency, flows) {
      live.append(try model.nextConversation())
      agenda.insert(time: UInt64(starts.below(1_000_000)), slot: slot)
    }
    var started = live.count
    while let (time, slot) = agenda.popFirst() {
      let range = live[slot].takeFrame()
      frames.addFrame(range.count)
      try body(time, live[slot].bytes[range])
      if let delay = live[slot].delay {
        agenda.insert(time: time + delay, slot: slot)
      } else if started < flows {
        live[slot] = try model.nextConversation()
        started += 1
        agenda.insert(time: time + UInt64(starts.below(20_000)), slot: slot)
      }
    }
    return model.counts.with(frames)
  }
}

/// Which conversation speaks next: a binary heap by time, and by slot where times are equal.
struct Agenda {
  private var heap: [(time: UInt64, slot: Int)] = []

  mutating func insert(time: UInt64, slot: Int) {
    var index = heap.count
    heap.append((time, slot))
    while index > 0, heap[index] < heap[(index - 1) / 2] {
      heap.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  mutating func popFirst() -> (time: UInt64, slot: Int)? {
    guard let first = heap.first else { return nil }
    heap[0] = heap[heap.count - 1]
    heap.removeLast()
    var index = 0
    while 2 * index + 1 < heap.count {
      var child = 2 * index + 1
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < heap[index] else { break }
      heap.swapAt(child, index)
      index = child
    }
    return first
  }
}

import EgressModel
import Wire

/// How streams are let go of, and what keeps all of them together inside their bounds.
extension FlowMeter {
  mutating func unwatch(_ index: Int, _ side: FlowKey.Side) {
    table[index].marks.remove(Flow.Marks(.watchLow, side))
    dropStream(index, side)
  }

  mutating func unwatch(_ index: Int) {
    unwatch(index, .low)
    unwatch(index, .high)
  }

  mutating func dropStream(_ index: Int, _ side: FlowKey.Side) {
    let handle = table[index].streams
    guard handle != Flow.none else { return }
    if let stream = streams[handle]?[side] {
      tally.reassemblyBytes -= stream.byteCount
      streams[handle]?[side] = nil
    }
    if let hello = streams[handle]?.hello {
      tally.reassemblyBytes -= Self.heldByteCount(hello)
      streams[handle]?.hello = nil
    }
    if streams[handle]?.isEmpty ?? false {
      _ = streams.remove(at: handle)
      table[index].streams = Flow.none
    }
  }

  /// Judges what there is of a flow's streams as all there will be, and lets go of them.
  mutating func abandonStreams(of index: Int, _ cause: StreamAbandonment) {
    guard table[index].streams != Flow.none else { return }
    if streams[table[index].streams]?.hello != nil {
      abandon(cause)
      unwatch(index)
    }
    for side in [FlowKey.Side.low, .high] {
      let handle = table[index].streams
      guard handle != Flow.none, let stream = streams[handle]?[side] else { continue }
      let wasHolding = stream.octets.byteCount > 0
      if wasHolding, table[index].marks.isDisjoint(with: [.dnsStream, .certificate]) { judgeHeld(index, handle, from: side, isComplete: true, at: table[index].last) }
      let isNamed = table[index].streams == Flow.none && table[index].content != .unknown
      if wasHolding, !isNamed { abandon(cause) }
      unwatch(index, side)
    }
  }

  mutating func abandon(_ cause: StreamAbandonment) {
    tally.streamsAbandoned[cause] &+= 1
  }

  mutating func queueStream(_ index: Int, at time: Timestamp) {
    streamOrder.append((table[index].streams, Int32(truncatingIfNeeded: index), table[index].id, time))
    // Most streams are gone long before they reach the front, so what is gone is swept out when it is most of the queue.
    if streamOrder.count - oldestStream > 2 * streams.count + 1024 {
      var kept: ContiguousArray<(stream: Int32, flow: Int32, id: UInt64, since: Timestamp)> = []
      for place in oldestStream..<streamOrder.count where isHeld(streamOrder[place]) { kept.append(streamOrder[place]) }
      streamOrder = kept
      oldestStream = 0
    }
  }

  private func isHeld(_ entry: (stream: Int32, flow: Int32, id: UInt64, since: Timestamp)) -> Bool {
    let flow = table[Int(entry.flow)]
    return flow.isLive && flow.id == entry.id && flow.streams == entry.stream
  }

  /// Keeps all streams together inside the bound: the ones that are incomplete for longest go.
  mutating func makeRoom() {
    while tally.reassemblyBytes > configuration.reassemblyByteLimit, oldestStream < streamOrder.count {
      let entry = streamOrder[oldestStream]
      oldestStream += 1
      if isHeld(entry) { abandonStreams(of: Int(entry.flow), .noMemory) }
    }
  }

  /// Gives up the streams that have been incomplete for too long.
  mutating func abandonOverdueStreams(at time: Timestamp) {
    while oldestStream < streamOrder.count {
      let entry = streamOrder[oldestStream]
      if isHeld(entry) {
        guard time.since(entry.since) > configuration.reassemblyTimeout else { break }
        let index = Int(entry.flow)
        // A DNS connection that waits for its next message holds nothing.
        if table[index].marks.contains(.dnsStream), streams[entry.stream]?.holdsNothing ?? false {
          streamOrder.append((entry.stream, entry.flow, entry.id, time))
        } else {
          abandonStreams(of: index, .incomplete)
        }
      }
      oldestStream += 1
    }
    if oldestStream > 1024, oldestStream * 2 > streamOrder.count {
      streamOrder.removeFirst(oldestStream)
      oldestStream = 0
    }
  }
}

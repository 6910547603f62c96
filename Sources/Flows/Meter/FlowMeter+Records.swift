public import EgressModel
import Wire

extension FlowMeter {
  /// Every flow is looked at once in so many nanoseconds.
  private static let sweepPeriod: Int64 = 1_000_000_000
  /// Records a sweep may produce before it leaves the rest to the next.
  private static let recordsPerSweep = 16_384
  /// Flows that are compared to find the one to evict.
  private static let evictionSample = 16

  /// Lets time pass, and hands out what happened since the last call: flows that began, ended or were due for an interim
  /// record, and names that were answered.
  ///
  /// The time may be the capture's or the wall clock's; it must not run ahead of frames that are still to come by more than the shortest timeout.
  public mutating func advance(to time: Timestamp) -> FlowBatch {
    abandonOverdueDatagrams(at: time)
    abandonOverdueStreams(at: time)
    queries.forget(before: time)
    var batch = FlowBatch()
    sweep(to: time, &batch)
    handOut(&batch, limit: .max)
    return batch
  }

  /// Ends every flow, and hands out everything that was not handed out yet.
  ///
  /// - Parameter limit: about how many records to make in this call; call again until the batch is empty. A record takes several
  ///   times the memory of a live flow.
  public mutating func drain(at time: Timestamp, reason: FlowEndReason = .forcedEnd, limit: Int = .max) -> FlowBatch {
    var batch = FlowBatch()
    // What is given up may be, inside a tunnel, a piece of another datagram.
    while fragments.count > 0 { for datagram in fragments.removeAll() { giveUp(datagram) } }
    // The hand of the sweep goes on from call to call, so that many small batches look at every place once.
    while table.count > 0, ended.count < limit {
      if sweepCursor >= table.places { sweepCursor = 0 }
      let index = sweepCursor
      sweepCursor += 1
      guard table[index].isLive else { continue }
      let isOver = table[index].isFinished || time.since(table[index].last) > idleLimit(table[index])
      end(index, isOver ? (table[index].isFinished ? .endOfFlow : .idleTimeout) : reason)
    }
    handOut(&batch, limit: limit)
    return batch
  }

  private mutating func handOut(_ batch: inout FlowBatch, limit: Int) {
    if !started.isEmpty {
      batch.started = started
      started.removeAll(keepingCapacity: true)
    }
    if !answers.isEmpty {
      batch.names = answers
      answers.removeAll(keepingCapacity: true)
    }
    if batch.metered.isEmpty, ended.count <= limit {
      swap(&batch.metered, &ended)
      // Batches are of about one size; growing to it step by step copies everything twice.
      ended.reserveCapacity(batch.metered.count)
    } else {
      let count = min(limit, ended.count)
      batch.metered += ended[..<count]
      ended.removeFirst(count)
    }
  }

  private mutating func sweep(to time: Timestamp, _ batch: inout FlowBatch) {
    guard let last = sweptAt else {
      sweptAt = time
      return
    }
    // Capture threads are a little out of step with one another; more than that, and somebody set the clock back.
    guard time.since(last) > -Self.sweepPeriod else {
      sweptAt = time
      return
    }
    let elapsed = min(max(0, time.since(last)), Self.sweepPeriod)
    var due = Int(Double(table.places) * Double(elapsed) / Double(Self.sweepPeriod))
    guard due > 0 else { return }
    sweptAt = time
    while due > 0, ended.count + batch.metered.count < Self.recordsPerSweep {
      due -= 1
      if sweepCursor >= table.places { sweepCursor = 0 }
      visit(sweepCursor, at: time, &batch)
      sweepCursor += 1
    }
  }

  private mutating func visit(_ index: Int, at time: Timestamp, _ batch: inout FlowBatch) {
    guard table[index].isLive else { return }
    let idle = time.since(table[index].last)
    if idle < -Self.sweepPeriod, configuration.activeTimeout != nil {
      // Live, its last packet was in a time that is still to come again, until when it would stay. A replay's files may be in any order.
      table[index].last = time
      table[index].reportedAt = min(table[index].reportedAt, time)
    } else if idle > idleLimit(table[index]) {
      end(index, table[index].isFinished ? .endOfFlow : .idleTimeout)
    } else if let activeTimeout = configuration.activeTimeout {
      let flow = table[index]
      // What is still being read may name the flow; its first record had better wait for that.
      let isDueSoon = flow.reportedLow.packets == 0 && flow.reportedHigh.packets == 0 && flow.streams == Flow.none
      let limit = isDueSoon ? min(activeTimeout, configuration.firstRecordTimeout) : activeTimeout
      if time.since(flow.reportedAt) >= limit { report(index, at: time, &batch) }
    }
  }

  /// Makes the interim record of a flow that has something new to tell.
  private mutating func report(_ index: Int, at time: Timestamp, _ batch: inout FlowBatch) {
    let flow = table[index]
    table[index].reportedAt = time
    guard !flow.marks.contains(.translated), flow.low != flow.reportedLow || flow.high != flow.reportedHigh else { return }
    batch.metered.append(MeteredFlow(flow: flow, details: flow.details == Flow.none ? nil : details[flow.details], reason: .activeTimeout))
    tally.flowsEnded[.activeTimeout] &+= 1
    table[index].reportedLow = flow.low
    table[index].reportedHigh = flow.high
  }

  /// Ends the flow that matters least among a sample: a finished one first, then one that nobody answered, then the one idle for longest.
  ///
  /// A flood of attempts thus displaces attempts, and not the connections under way.
  mutating func evict() {
    var victim: Int?
    var rank = (FlowEviction.live.rawValue + 1, Timestamp(nanoseconds: .max))
    var seen = 0
    var steps = 0
    while seen < Self.evictionSample, steps < table.places {
      steps += 1
      if evictionCursor >= table.places { evictionCursor = 0 }
      let index = evictionCursor
      evictionCursor += 1
      guard table[index].isLive else { continue }
      seen += 1
      let candidate = (kind(index).rawValue, table[index].last)
      if candidate < rank {
        rank = candidate
        victim = index
      }
    }
    guard let victim else { return }
    tally.flowsEvicted[kind(victim)] &+= 1
    end(victim, .lackOfResources)
  }

  private func kind(_ index: Int) -> FlowEviction {
    if table[index].isFinished { return .finished }
    return table[index].isAnswered ? .live : .unanswered
  }
}

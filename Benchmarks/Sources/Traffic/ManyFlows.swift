import EgressModel

/// So many TCP connections, all open at once: first the SYN of every one, then every SYN/ACK, every ACK, and from every second client a few octets.
struct ManyFlows {
  var flows = 1_000_000

  func forEachFrame(_ body: (_ time: UInt64, _ frame: ArraySlice<UInt8>) throws -> Void) rethrows -> TrafficCounts {
    var counts = TrafficCounts()
    var frame: [UInt8] = []
    var time: UInt64 = 0
    let ping = Array("PING\r\n".utf8)
    for round in 0..<4 {
      for flow in 0..<flows where round < 3 || flow % 2 == 0 {
        frame.removeAll(keepingCapacity: true)
        let direction: Path.Direction = round == 1 ? .inbound : .outbound
        let sent: UInt32 = round == 0 ? 0 : 1
        let header = Frame.TCPHeader(
          sequence: direction == .outbound ? sent : 0, acknowledgment: round == 0 ? 0 : 1,
          flags: [Frame.syn, Frame.syn | Frame.ack, Frame.ack, Frame.psh | Frame.ack][round], options: [])
        Frame.appendTCP(
          to: &frame, path(flow), direction, identification: UInt16(truncatingIfNeeded: flow), header, payload: round == 3 ? ping[...] : [])
        try body(time, frame[...])
        counts.addFrame(frame.count)
        time += 1
      }
    }
    counts.add(tcpFlows: flows)
    return counts
  }

  /// 250 clients, one in four of them with IPv6; the port changes fastest, then the server.
  private func path(_ flow: Int) -> Path {
    let client = flow % 250
    let v6 = client % 4 == 0
    let connection = UInt64(flow / 250)
    let server = v6 ? IPAddress(high: 0x2001_0002_0000_0000, low: connection % 64) : IPAddress(v4: 0xc612_0000 | UInt32(connection % 64))
    return Path(
      client: Population.client(client, v6: v6), server: server, clientPort: UInt16(1_024 + (connection / 64) % 60_000), serverPort: 6379)
  }
}

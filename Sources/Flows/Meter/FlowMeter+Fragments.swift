import EgressModel
import Wire

extension FlowMeter {
  /// Puts a fragment to the others of its datagram.
  ///
  /// A datagram is one packet, as connection tracking has it, with the octets of all its fragments. It counts when it is whole, in the flow
  /// that it turns out to belong to; one that does not become whole counts when it is given up, and nothing of its payload is read.
  @inline(never) mutating func observeFragment(
    _ packet: Packet, _ fragment: Packet.Fragment, _ frame: Span<UInt8>, on link: UInt16, at time: Timestamp
  ) {
    tally.fragments &+= 1
    let (whole, displaced) = fragments.insert(packet, fragment, frame, on: link, at: time)
    for datagram in displaced { giveUp(datagram) }
    guard let datagram = whole else { return }
    tally.datagramsReassembled &+= 1
    meter(datagram, at: time)
  }

  mutating func abandonOverdueDatagrams(at time: Timestamp) {
    for datagram in fragments.expire(before: time) { giveUp(datagram) }
  }

  mutating func giveUp(_ datagram: Datagram) {
    guard !datagram.isSettled, !datagram.isRepeat else { return }
    tally.datagramsAbandoned[datagram.fault ?? .incomplete] &+= 1
    meter(datagram, at: datagram.last)
  }

  private mutating func meter(_ datagram: Datagram, at time: Timestamp) {
    let encapsulation = datagram.key.encapsulation
    let octets = datagram.octets
    var packet = datagram.template
    if octets.isEmpty {
      if packet.transport.hasPorts { tally.orphanDatagrams &+= 1 }
    } else {
      packet = decode(octets.span, linkType: .raw, originalLength: octets.count, inside: encapsulation)
    }
    if !datagram.isWhole { packet.capturedPayloadLength = 0 }
    if let fragment = packet.fragment {
      // A piece of another datagram, inside a tunnel. Tunnels nest only so deep, so this ends.
      observeFragment(packet, fragment, octets.span, on: datagram.key.link, at: time)
    } else {
      if packet.encapsulation == encapsulation { packet.ipLength = datagram.ipLength }
      meter(packet, octets.span, on: datagram.key.link, at: time)
    }
  }
}

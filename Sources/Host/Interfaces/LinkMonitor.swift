internal import Glibc

/// One interface of this network namespace.
public struct Link: Hashable, Sendable {
  /// The kernel's number: another one under the same name is another interface.
  public var index: UInt32
  public var name: String
  public var isUp: Bool
  public var isRunning: Bool
  public var isLoopback: Bool

  public init(index: UInt32, name: String, isUp: Bool, isRunning: Bool, isLoopback: Bool) {
    self.index = index
    self.name = name
    self.isUp = isUp
    self.isRunning = isRunning
    self.isLoopback = isLoopback
  }
}

public enum LinkChange: Hashable, Sendable {
  case appeared(Link)
  case disappeared(Link)
  /// Up or running changed.
  case changed(from: Link, to: Link)
}

/// Tells which interfaces come, go, rise and fall, and when addresses or routes change.
///
/// rtnetlink is the bell only: whatever it says, and even when it lost messages, the list of links is read again and compared.
public final class LinkMonitor {
  /// By name, as of the last call of `changes`.
  public private(set) var links: [String: Link] = [:]
  private let netlink: NetlinkSocket

  /// RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR, RTMGRP_IPV4_ROUTE and RTMGRP_IPV6_ROUTE of linux/rtnetlink.h.
  private static let groups: UInt32 = 0x1 | 0x10 | 0x100 | 0x40 | 0x400

  public init() throws(HostError) {
    netlink = try NetlinkSocket(.route, groups: Self.groups, what: "interfaces")
    links = try Self.list()
  }

  /// What changed of the links since the last call, in the order of names; waits at most so long for something to change.
  ///
  /// - Returns: nil when nothing changed; no change of a link when addresses or routes did.
  public func changes(waiting milliseconds: Int32 = 0) throws(HostError) -> [LinkChange]? {
    var descriptor = pollfd(fd: netlink.descriptor.number, events: Int16(POLLIN), revents: 0)
    guard unsafe poll(&descriptor, 1, milliseconds) > 0 else { return nil }
    var buffer = [UInt8](repeating: 0, count: 32 << 10)
    // Emptied before the list is read, so that a change in between rings again. An overflow (ENOBUFS) ends the loop as well.
    while unsafe recv(netlink.descriptor.number, &buffer, buffer.count, Int32(MSG_DONTWAIT)) > 0 {}
    let now = try Self.list()
    defer { links = now }
    return Self.changes(from: links, to: now)
  }

  static func changes(from old: [String: Link], to new: [String: Link]) -> [LinkChange] {
    Set(old.keys).union(new.keys).sorted().flatMap { name -> [LinkChange] in
      switch (old[name], new[name]) {
      case (let before?, let after?) where before.index != after.index: [.disappeared(before), .appeared(after)]
      case (let before?, let after?): before == after ? [] : [.changed(from: before, to: after)]
      case (let before?, nil): [.disappeared(before)]
      case (nil, let after?): [.appeared(after)]
      case (nil, nil): []
      }
    }
  }

  private static func list() throws(HostError) -> [String: Link] {
    var links: [String: Link] = [:]
    for entry in try InterfaceAddresses.list() where entry.isLink {
      let index = unsafe if_nametoindex(entry.name)
      guard index != 0 else { continue }
      // IFF_UP, IFF_LOOPBACK and IFF_RUNNING of net/if.h.
      func has(_ flag: UInt32) -> Bool { entry.flags & flag != 0 }
      links[entry.name] = Link(
        index: index, name: entry.name, isUp: has(0x1), isRunning: has(0x40),
        isLoopback: has(0x8))
    }
    return links
  }
}

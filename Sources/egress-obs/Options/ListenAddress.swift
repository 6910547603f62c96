import ArgumentParser
import EgressModel

/// Where to listen: `127.0.0.1:9477`, `[::1]:9477`.
struct ListenAddress: ExpressibleByArgument, CustomStringConvertible, Sendable {
  var ip: IPAddress
  var port: UInt16

  init?(argument: String) {
    guard let colon = argument.lastIndex(of: ":"), let port = UInt16(argument[argument.index(after: colon)...]) else { return nil }
    var host = argument[..<colon]
    let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
    if isBracketed { host = host.dropFirst().dropLast() }
    guard let ip = IPAddress(String(host)), ip.isV4 != isBracketed else { return nil }
    (self.ip, self.port) = (ip, port)
  }

  var description: String { SocketAddress(ip: ip, port: port).description }
}

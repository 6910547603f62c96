import Foundation
import TestNetworks

/// A host and a small internet, each in a network namespace made here, joined by one link. No route leads out of them.
///
///     host: eth0 192.0.2.2 2001:db8:2::2  ──  internet: eth0 192.0.2.1 2001:db8:2::1
///                                             nginx   203.0.113.10 203.0.113.20 2001:db8:cd::10, ports 80, 443 and 9999
///                                             dnsmasq 203.0.113.53
final class NetworkLab: Sendable {
  static let canMakeLinks = NetworkNamespace.isAvailable
  static let need = "needs root, iproute2, nginx, dnsmasq, openssl, curl and dig"
  static let isPossible = canMakeLinks && ["nginx", "dnsmasq", "openssl", "curl", "dig"].allSatisfy(isInstalled)

  static func isInstalled(_ program: String) -> Bool {
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].contains {
      FileManager.default.isExecutableFile(atPath: $0 + "/" + program)
    }
  }

  let host: NetworkNamespace
  let internet: NetworkNamespace
  let directory: TemporaryDirectory
  private let servers: [Program]

  static let web4 = "203.0.113.10"
  static let web6 = "2001:db8:cd::10"
  /// What `only.example.org` alone has, and by CNAME `alias.example.net`.
  static let only4 = "203.0.113.20"
  /// What no name has but the one that reverse DNS gives, edge.example.org.
  static let edge4 = "203.0.113.30"
  static let resolver = "203.0.113.53"

  /// - Parameter servers: without them the internet has addresses and nobody who answers.
  init(servers hasServers: Bool = true) throws {
    host = try NetworkNamespace()
    internet = try NetworkNamespace()
    directory = try TemporaryDirectory()
    try host.connect("eth0", "192.0.2.2/24", to: internet, "eth0", "192.0.2.1/24")
    for address in [Self.web4, Self.only4, Self.edge4, Self.resolver] { try Program.run("ip", "-n", internet.name, "addr", "add", address + "/32", "dev", "lo") }
    try Program.run("ip", "-n", internet.name, "-6", "addr", "add", Self.web6 + "/128", "dev", "lo", "nodad")
    try Program.run("ip", "-n", host.name, "-6", "addr", "add", "2001:db8:2::2/64", "dev", "eth0", "nodad")
    try Program.run("ip", "-n", internet.name, "-6", "addr", "add", "2001:db8:2::1/64", "dev", "eth0", "nodad")
    try Program.run("ip", "-n", host.name, "route", "add", "default", "via", "192.0.2.1")
    try Program.run("ip", "-n", host.name, "-6", "route", "add", "default", "via", "2001:db8:2::1")

    // `ip netns exec` binds this over /etc/resolv.conf for programs in the namespace.
    try FileManager.default.createDirectory(atPath: "/etc/netns/\(host.name)", withIntermediateDirectories: true)
    try "nameserver \(Self.resolver)\n".write(toFile: "/etc/netns/\(host.name)/resolv.conf", atomically: true, encoding: .utf8)
    guard hasServers else {
      servers = []
      return
    }
    servers = [
      try Program(["ip", "netns", "exec", internet.name, "nginx", "-c", try Self.nginx(in: directory)]),
      try Program(
        [
          "ip", "netns", "exec", internet.name, "dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null",
          "--bind-interfaces", "--listen-address=\(Self.resolver)", "--local-ttl=60", "--pid-file=\(directory / "dnsmasq.pid")", "--user=root",
          "--host-record=shop.example.com,\(Self.web4),\(Self.web6)", "--host-record=api.stripe.com,\(Self.web4)",
          "--host-record=dashboard.stripe.com,\(Self.web4)", "--host-record=only.example.org,\(Self.only4)",
          "--cname=alias.example.net,only.example.org", "--ptr-record=30.113.0.203.in-addr.arpa,edge.example.org",
        ]),
    ]
    guard
      try eventually(within: 30, {
        let answer = try run("dig", "+short", "+time=1", "+tries=1", "@\(Self.resolver)", "shop.example.com")
        let web = try run("curl", "-s", "--max-time", "2", "http://\(Self.web4)/")
        return answer.output.contains(Self.web4) && web.output.contains("hello")
      })
    else { throw NotUp(logs: servers.map(\.errorsSoFar)) }
  }

  struct NotUp: Error { var logs: [String] }

  deinit {
    for server in servers { server.stop(seconds: 5) }
    try? FileManager.default.removeItem(atPath: "/etc/netns/\(host.name)")
    // A file system without any such directory is what we found, perhaps.
    unsafe rmdir("/etc/netns")
  }

  private static func nginx(in directory: TemporaryDirectory) throws -> String {
    try Program.run(
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=example.com",
      "-keyout", directory / "key.pem", "-out", directory / "cert.pem")
    let addresses = [web4, only4, "[\(web6)]"]
    return try directory.file(
      "nginx.conf",
      """
      daemon off; pid \(directory / "nginx.pid"); error_log \(directory / "nginx.log"); user root;
      events {}
      http {
        access_log off; client_body_temp_path \(directory / "b"); proxy_temp_path \(directory / "p");
        fastcgi_temp_path \(directory / "f"); uwsgi_temp_path \(directory / "u"); scgi_temp_path \(directory / "s");
        server {
          \(addresses.map { "listen \($0):80; listen \($0):9999; listen \($0):443 ssl;" }.joined(separator: " "))
          ssl_certificate \(directory / "cert.pem"); ssl_certificate_key \(directory / "key.pem");
          root \(directory.path);
          location / { return 200 "hello\\n"; }
          location /files/ { }
        }
      }
      """)
  }

  /// Puts a file on the web server, as /files/NAME.
  func file(_ name: String, bytes: Int) throws {
    try FileManager.default.createDirectory(atPath: directory / "files", withIntermediateDirectories: true)
    try Data(count: bytes).write(to: URL(fileURLWithPath: directory / "files/" + name))
  }

  /// Runs a client on the host, with the lab's resolver.
  @discardableResult func run(_ arguments: String...) throws -> Program.Outcome {
    try Program(["ip", "netns", "exec", host.name] + arguments).wait(seconds: 30)
  }

  /// Sends octets by UDP to the internet, each from a port of its own, so that each is a flow; nobody answers, and nothing names them.
  func send(_ count: Int, to address: String = web4, port: UInt16, from first: UInt16 = 20_000) throws {
    try host.perform {
      for offset in 0..<count {
        let socket = try TestSocket(.udp)
        try socket.bind("0.0.0.0", first + UInt16(offset))
        try socket.send([1, 2, 3], to: address, port)
      }
    }
  }

  /// Starts the daemon on a namespace's link (the host's unless another is given) and waits until it captures.
  ///
  /// - Parameter link: the link; nil for what the daemon takes by itself.
  /// - Parameter entering: the command that enters a namespace; `nsenter` keeps the real /sys, `ip netns exec` has the lab's resolver.
  func daemon(
    _ database: Database, _ arguments: String..., on link: String? = "eth0", in namespace: NetworkNamespace? = nil, entering: [String]? = nil, environment: [String: String] = [:]
  ) throws -> Program {
    let command =
      (entering ?? ["nsenter", "--net=/run/netns/\((namespace ?? host).name)"]) + [Program.egressObs, "run", "--db", database.path]
      + (arguments.contains("--interface") ? [] : link.map { ["--interface", $0] } ?? []) + arguments
    let daemon = try Program(command, environment: environment)
    guard eventually({ daemon.errorsSoFar.contains("watching ") || !daemon.isRunning }), daemon.isRunning else {
      throw Program.Failed(command: command, outcome: daemon.wait(seconds: 0))
    }
    return daemon
  }
}

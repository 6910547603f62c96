import Foundation
import TestNetworks
import Testing

/// The daemon on a link that real programs talk over.
@Suite(.enabled(if: NetworkLab.isPossible, "\(NetworkLab.need)")) struct LiveTests {
  private let scratch: TemporaryDirectory
  private let recorded: Database
  private let lab: NetworkLab

  init() throws {
    scratch = try TemporaryDirectory()
    recorded = Database(path: scratch / "egress.db")
    lab = try NetworkLab()
  }

  /// Opens a TCP connection from the host and lets go of it.
  private func connect(_ address: String, _ port: UInt16) throws {
    _ = try lab.host.perform { try TestSocket(.tcp).connect(address, port) }
  }

  private func isNamed(_ flow: [String: Any], _ name: String, _ source: String, _ confidence: String) -> Bool {
    (flow["names"] as? [[String: Any]] ?? []).contains {
      $0.text("name") == name && $0.text("source") == source && $0.text("confidence") == confidence
    }
  }

  @Test func `names come from SNI, Host and DNS, over IPv4 and IPv6`() throws {
    let daemon = try lab.daemon(recorded, "--no-reverse-dns")
    for family in ["-4", "-6"] {
      #expect(try lab.run("curl", family, "-sk", "https://shop.example.com/").output == "hello\n")
      #expect(try lab.run("curl", family, "-s", "http://shop.example.com/").output == "hello\n")
    }
    #expect(try lab.run("openssl", "s_client", "-connect", "\(NetworkLab.only4):443", "-servername", "pay.example.org").output.contains("CONNECTED"))
    #expect(try lab.run("dig", "+short", "alias.example.net").output.contains(NetworkLab.only4))
    try connect(NetworkLab.only4, 9999)
    #expect(try lab.run("curl", "-s", "http://\(NetworkLab.only4):9999/").output == "hello\n")
    #expect(daemon.stop().status == 0)

    for (address, port, source) in [
      (NetworkLab.web4, "443", "tls_sni"), (NetworkLab.web6, "443", "tls_sni"), (NetworkLab.web4, "80", "http_host"),
      (NetworkLab.web6, "80", "http_host"),
    ] {
      let flows = try recorded.flows("--name", address, "--port", port)
      #expect(flows.count == 1 && flows.allSatisfy { $0.text("state") == "closed" })
      let flow = try #require(flows.first)
      #expect(flow.text("name") == "shop.example.com" && flow.text("name_source") == source)
      #expect(isNamed(flow, "shop.example.com", source, "confirmed"))
      #expect(isNamed(flow, "shop.example.com", "dns", "resolved"))
    }
    let sni = try recorded.flows("--name", NetworkLab.only4, "--port", "443")
    #expect(sni.map { $0.text("name") } == ["pay.example.org"])

    // Nothing but the look-up before names a connection that said nothing.
    let silent = try recorded.flows("--name", NetworkLab.only4, "--port", "9999")
    #expect(silent.count == 2)
    for flow in silent {
      #expect(flow.text("name") == "alias.example.net" && flow.text("name_source") == "dns")
      #expect((flow["names"] as? [[String: Any]])?.first?["chain"] as? [String] == ["only.example.org"])
    }
    let names = try objects(Program.egressObs("flows", "--names", "--db", recorded.path, "-o", "ndjson").output)
    #expect(names.contains { $0.text("name") == "shop.example.com" && $0["addresses"] as? [String] == [NetworkLab.web6] })
  }

  /// How conntrack and we tell of a connection: source port, then packets and octets both ways.
  private func tracked(_ family: String) throws -> [Int: [Int]] {
    var connections: [Int: [Int]] = [:]
    for line in try lab.run("conntrack", "-L", "-f", family, "-p", "tcp").output.split(separator: "\n") {
      func values(_ key: String) -> [Int] {
        line.split(separator: " ").compactMap { $0.hasPrefix(key + "=") ? Int($0.dropFirst(key.count + 1)) : nil }
      }
      guard let port = values("sport").first, values("packets").count == 2 else { continue }
      connections[port] = [values("packets")[0], values("packets")[1], values("bytes")[0], values("bytes")[1]]
    }
    return connections
  }

  @Test(.enabled(if: NetworkLab.isInstalled("conntrack") && NetworkLab.isInstalled("nft"), "needs conntrack and nft"))
  func `packets and bytes are exactly those that conntrack counts`() throws {
    try lab.host.run("/usr/sbin/sysctl", "-qw", "net.netfilter.nf_conntrack_acct=1")
    try lab.host.run("/usr/sbin/nft", "add table inet lab; add chain inet lab out { type filter hook output priority 0; }; add rule inet lab out ct state new counter")
    try lab.file("big", bytes: 3_000_000)
    let daemon = try lab.daemon(recorded, "--no-reverse-dns")
    for family in ["-4", "-6"] {
      for url in ["http://shop.example.com/files/big", "https://shop.example.com/files/big", "https://shop.example.com/"] {
        #expect(try lab.run("curl", family, "-sk", "-o", "/dev/null", "-w", "%{http_code}", url).output == "200")
      }
    }
    // An upload, which is cut to its headers in the kernel.
    let upload = scratch / "upload"
    try Data(count: 2_000_000).write(to: URL(fileURLWithPath: upload))
    _ = try lab.run("curl", "-sk", "-o", "/dev/null", "--data-binary", "@" + upload, "https://shop.example.com/")
    let counted = try tracked("ipv4").merging(try tracked("ipv6")) { first, _ in first }
    #expect(counted.count == 7)
    #expect(daemon.stop().status == 0)
    #expect(daemon.errorsSoFar.contains(/stopped: \d+ packets, 0 dropped/))

    let flows = try recorded.flows("--transport", "tcp")
    #expect(flows.count == 7)
    for flow in flows {
      let ours = [flow.number("packets", "out"), flow.number("packets", "in"), flow.number("bytes", "out"), flow.number("bytes", "in")]
      #expect(ours == counted[flow.number("source", "port") ?? 0] ?? [], "\(flow)")
    }
  }

  @Test func `a burst that the small buffer just holds makes it grow, and every packet is counted`() throws {
    let daemon = try lab.daemon(recorded, "--no-reverse-dns")
    // 5,000 frames of 1.4 KB while the daemon sleeps: 8 of 12 MiB.
    let (burst, later) = (5000, 9000)
    let socket = try lab.host.perform { try TestSocket(.udp) }
    func send(_ count: Int) throws { for _ in 0..<count { try socket.send([UInt8](repeating: 7, count: 1400), to: NetworkLab.web4, 443) } }
    daemon.signal(SIGSTOP)
    try send(burst)
    daemon.signal(SIGCONT)
    #expect(eventually { daemon.errorsSoFar.contains("eth0: the capture's buffer was too small; it is 32 MiB now") })
    try send(later)
    #expect(daemon.stop().errors.contains(/stopped: \d+ packets, 0 dropped/))
    let flows = try recorded.flows("--transport", "udp", "--port", "443")
    #expect(flows.map { $0.number("packets", "out") } == [burst + later])
  }

  @Test func `several interfaces are watched at once, and one that vanishes is watched again when it returns`() throws {
    func link() throws { try lab.host.connect("eth1", "198.51.100.2/24", to: lab.internet, "eth1", "198.51.100.1/24") }
    try link()
    let daemon = try lab.daemon(recorded, "--no-reverse-dns", "--interface", "eth0", "--interface", "eth1")
    // Looked up over one, used over the other.
    #expect(try lab.run("dig", "+short", "only.example.org").output.contains(NetworkLab.only4))
    try lab.send(1, port: 7000)
    try lab.send(1, to: "198.51.100.1", port: 7001)
    #expect(try eventually { try recorded.flows("--port", "7000", "--port", "7001").count == 2 }, "\(daemon.errorsSoFar)")

    try Program.run("ip", "-n", lab.host.name, "link", "del", "eth1")
    #expect(eventually { daemon.errorsSoFar.contains("cannot capture on eth1") }, "\(daemon.errorsSoFar)")
    try lab.send(1, port: 7002)
    #expect(try eventually { try recorded.flows("--port", "7002").count == 1 })
    #expect(try eventually { try recorded.gaps.contains("interface eth1 gone") })
    try link()
    #expect(eventually { daemon.errorsSoFar.contains("eth1 is back") }, "\(daemon.errorsSoFar)")
    try lab.send(1, to: "198.51.100.1", port: 7003)
    #expect(try eventually { try recorded.flows("--port", "7003").count == 1 })
    #expect(daemon.stop().status == 0)
    // One gap, from when it went to when it was back.
    #expect(try recorded.gaps == ["interface eth1 gone"])
  }

  @Test func `reverse DNS is a hint for what nothing else names, and asks without being recorded`() throws {
    let daemon = try lab.daemon(recorded, entering: ["ip", "netns", "exec", lab.host.name])
    try lab.send(1, to: NetworkLab.edge4, port: 7000)
    #expect(try eventually { try recorded.flows("--port", "7000").count == 1 }, "\(daemon.errorsSoFar)")
    let flow = try #require(try recorded.flows("--port", "7000").first)
    #expect(flow.text("name") == "edge.example.org" && flow.text("name_source") == "ptr")
    #expect(isNamed(flow, "edge.example.org", "ptr", "hint"))
    #expect(daemon.stop().status == 0)
    #expect(try recorded.flows("--port", "53").isEmpty)
    #expect(try recorded.report().contains { $0.text("finding") == "unnamed" && $0.text("destination", "ip") == NetworkLab.edge4 })
  }

  @Test func `names that were looked up before a restart name flows after it`() throws {
    let daemon = try lab.daemon(recorded, "--no-reverse-dns")
    #expect(try lab.run("dig", "+short", "only.example.org").output.contains(NetworkLab.only4))
    #expect(daemon.stop().status == 0)
    let next = try lab.daemon(recorded, "--no-reverse-dns")
    try connect(NetworkLab.only4, 9999)
    #expect(next.stop().status == 0)
    let flows = try recorded.flows("--port", "9999")
    #expect(flows.map { $0.text("name") } == ["only.example.org"])
    #expect(flows.allSatisfy { isNamed($0, "only.example.org", "dns", "resolved") })
    #expect(try recorded.gaps == ["not running"])
  }

  /// Where control groups of version 2 are.
  private static let cgroups = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].first {
    FileManager.default.isWritableFile(atPath: $0 + "/cgroup.procs") && FileManager.default.fileExists(atPath: $0 + "/cgroup.controllers")
  }

  /// A control group like that of a unit of systemd, for as long as `body` runs.
  private func withUnit(_ body: (_ name: String, _ processes: String) throws -> Void) throws {
    let slice = try #require(Self.cgroups) + "/system.slice"
    let name = "egress-obs-\(UInt32.random(in: 0...UInt32.max)).service"
    let unit = slice + "/" + name
    let madeSlice = !FileManager.default.fileExists(atPath: slice)
    try FileManager.default.createDirectory(atPath: unit, withIntermediateDirectories: true)
    defer {
      _ = eventually(within: 5) { unsafe rmdir(unit) == 0 }
      if madeSlice { unsafe rmdir(slice) }
    }
    try body(name, unit + "/cgroup.procs")
  }

  /// Runs a script of bash on the host, in a control group.
  private func client(in processes: String, _ script: String) throws -> Program {
    try Program(["nsenter", "--net=/run/netns/\(lab.host.name)", "bash", "-c", "echo $$ > \(processes); " + script])
  }

  @Test(.enabled(if: cgroups != nil, "needs a cgroup2 file system that can be written"))
  func `a client in a unit's control group is that unit`() throws {
    try withUnit { unit, processes in
      let daemon = try lab.daemon(recorded, "--no-reverse-dns")
      let client = try client(in: processes, "exec 3<>/dev/tcp/\(NetworkLab.web4)/80 && exec sleep 60")
      // It is still there when its flow is recorded, so its socket was when the flow began, however busy the machine is.
      #expect(try eventually(within: 50) { try !recorded.flows("--port", "80").isEmpty }, "\(daemon.errorsSoFar)")
      client.crash()
      #expect(daemon.stop().status == 0)
      let flow = try #require(try recorded.flows("--port", "80").first)
      #expect(flow.text("workload", "kind") == "systemd" && flow.text("workload", "name") == unit)
      #expect(try recorded.flows("--workload", "systemd/\(unit)").count == 1)
    }
  }

  @Test(.enabled(if: cgroups != nil, "needs a cgroup2 file system that can be written"))
  func `sockets that live for milliseconds have their owner, too`() throws {
    try withUnit { unit, processes in
      let daemon = try lab.daemon(recorded, "--no-reverse-dns")
      let script = "for n in {1..20}; do (exec 3<>/dev/tcp/\(NetworkLab.web4)/80; exec 3<>/dev/tcp/\(NetworkLab.web6)/80; read -t 0.005 <&3); done; true"
      #expect(try client(in: processes, script).wait().status == 0)
      #expect(daemon.stop().status == 0)
      let flows = try recorded.flows("--port", "80")
      #expect(flows.count == 40)
      // On a machine that is busy with all the other tests the kernel may be asked too late for some.
      let owned = flows.count { $0.text("workload", "kind") == "systemd" && $0.text("workload", "name") == unit }
      #expect(owned >= 20, "\(owned) of \(flows.count)")
      #expect(flows.allSatisfy { ["systemd", "address"].contains($0.text("workload", "kind")) })
    }
  }
}

/// The daemon and who runs it: service manager, signals, rights.
@Suite(.enabled(if: NetworkLab.canMakeLinks, "needs root and iproute2")) struct ServiceTests {
  private let scratch: TemporaryDirectory
  private let recorded: Database
  private let lab: NetworkLab

  init() throws {
    scratch = try TemporaryDirectory()
    recorded = Database(path: scratch / "egress.db")
    lab = try NetworkLab(servers: false)
  }

  private func policy(_ cidr: String) -> String {
    """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: web, namespace: shop}
    spec:
      podSelector: {}
      policyTypes: [Egress]
      egress:
      - to:
        - ipBlock: {cidr: \(cidr)}
    """
  }

  @Test func `SIGHUP reads the policies again, and keeps the old ones when the new ones are broken`() throws {
    let inventory = try scratch.file(
      "pods.yaml",
      """
      {apiVersion: v1, kind: Pod, metadata: {name: web-1, namespace: shop}, status: {phase: Running, podIP: 192.0.2.2, podIPs: [{ip: 192.0.2.2}]}}
      """)
    let policies = try scratch.file("policy.yaml", policy("10.0.0.0/8"))
    // Seen from the far end of the link: the host is somebody else's, so it is the pod with its address.
    let daemon = try lab.daemon(
      recorded, "--no-reverse-dns", "--inventory", inventory, "--policies", policies, "--local", "192.0.2.2", in: lab.internet)
    func decision(_ port: UInt16) throws -> String? {
      try lab.send(1, port: port)
      #expect(try eventually { try recorded.flows("--port", "\(port)").count == 1 }, "\(daemon.errorsSoFar)")
      return try recorded.flows("--port", "\(port)").first?.text("verdict", "decision")
    }
    #expect(try decision(7000) == "denied")
    _ = try scratch.file("policy.yaml", policy("203.0.113.0/24"))
    daemon.signal(SIGHUP)
    #expect(eventually { daemon.errorsSoFar.contains("policies read again: 1") }, "\(daemon.errorsSoFar)")
    #expect(try decision(7001) == "allowed")
    _ = try scratch.file("policy.yaml", policy("203.0.113.0/240"))
    daemon.signal(SIGHUP)
    #expect(eventually { daemon.errorsSoFar.contains("the policies of before stay in force") }, "\(daemon.errorsSoFar)")
    #expect(daemon.errorsSoFar.contains("policy.yaml:9"))
    #expect(try decision(7002) == "allowed")
    #expect(daemon.stop().status == 0)
  }

  @Test func `a flow that began before SIGHUP keeps the pod that had its address then`() throws {
    func pod(_ name: String) throws -> String {
      try scratch.file(
        "pods.yaml", "{apiVersion: v1, kind: Pod, metadata: {name: \(name), namespace: shop, uid: uid-\(name)}, status: {phase: Running, podIP: 192.0.2.2}}")
    }
    let daemon = try lab.daemon(recorded, "--no-reverse-dns", "--inventory", try pod("web-1"), "--local", "192.0.2.2", in: lab.internet)
    try lab.send(1, port: 7000)
    _ = try pod("web-2")
    daemon.signal(SIGHUP)
    #expect(eventually { daemon.errorsSoFar.contains("policies read again") }, "\(daemon.errorsSoFar)")
    try lab.send(1, port: 7001)
    #expect(daemon.stop().status == 0)
    for (port, name) in [("7000", "web-1"), ("7001", "web-2")] {
      #expect(try recorded.flows("--port", port).map { $0.text("workload", "name") } == [name])
    }
  }

  @Test(.enabled(if: NetworkLab.isInstalled("setpriv"), "needs setpriv"))
  func `without the right to capture it says which right is missing`() throws {
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: scratch.path)
    let outcome = try Program([
      "nsenter", "--net=/run/netns/\(lab.host.name)", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", Program.egressObs, "run",
      "--interface", "eth0", "--db", recorded.path,
    ]).wait()
    #expect(outcome.status == 2, "\(outcome)")
    #expect(outcome.errors.contains("egress-obs: cannot capture on eth0: permission denied (needs CAP_NET_RAW"), "\(outcome.errors)")
    #expect(!outcome.signalled)
  }

  @Test(.enabled(if: NetworkLab.isInstalled("python3"), "needs python3"))
  func `a service manager is told of readiness, life, reloading and the end`() throws {
    let socket = scratch / "notify"
    let manager = try Program([
      "/usr/bin/python3", "-uc",
      """
      import socket, sys
      s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); print("bound")
      while True: print(s.recv(4096).decode().replace("\\n", " "))
      """, socket,
    ])
    #expect(eventually { manager.outputSoFar == "bound\n" }, "\(manager.errorsSoFar)")
    func told() -> [String] { manager.outputSoFar.split(separator: "\n").dropFirst().map { String($0.prefix { $0 != " " }) } }
    let policies = try scratch.file("policy.yaml", policy("10.0.0.0/8"))
    let daemon = try lab.daemon(
      recorded, "--no-reverse-dns", "--policies", policies, environment: ["NOTIFY_SOCKET": socket, "WATCHDOG_USEC": "400000"])
    #expect(eventually { told().count { $0 == "WATCHDOG=1" } >= 3 }, "\(told())")
    daemon.signal(SIGHUP)
    #expect(eventually { told().count { $0 == "READY=1" } == 2 }, "\(told())")
    #expect(daemon.stop().status == 0)
    #expect(eventually { told().last == "STOPPING=1" }, "\(told())")
    #expect(told().filter { $0 != "WATCHDOG=1" } == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"])
    #expect(told().first == "READY=1")
    manager.stop(seconds: 5)
  }
}

import Foundation
import TestNetworks
import Testing

/// A node with pods behind it, as a cluster has it: every link is watched, and every flow is there once, with its pod's own address.
@Suite(
  .enabled(if: NetworkLab.isPossible && NetworkLab.isInstalled("nft") && NetworkLab.isInstalled("ping"), "\(NetworkLab.need), nft and ping"))
struct NodeTests {
  private let scratch: TemporaryDirectory
  private let recorded: Database
  private let lab: NetworkLab
  /// Behind a bridge, as Flannel and Docker have it: 10.244.1.11.
  private let bridged: NetworkNamespace
  private let neighbour: NetworkNamespace
  /// At a link of its own without an address, as Calico, Cilium, AWS and Azure have it: 10.244.2.21.
  private let routed: NetworkNamespace

  init() throws {
    scratch = try TemporaryDirectory()
    recorded = Database(path: scratch / "egress.db")
    lab = try NetworkLab()
    (bridged, neighbour, routed) = (try NetworkNamespace(), try NetworkNamespace(), try NetworkNamespace())
    let host = lab.host
    try host.run("/usr/sbin/sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    try host.run("/usr/sbin/ip", "link", "add", "cni0", "type", "bridge")
    for address in ["10.244.1.1/24", "2001:db8:244:1::1/64"] { try host.run("/usr/sbin/ip", "addr", "add", address, "dev", "cni0", "nodad") }
    try host.run("/usr/sbin/ip", "link", "set", "cni0", "up")
    try attach(bridged, "veth11", number: 11)
    try attach(neighbour, "veth12", number: 12)
    try route(routed, "cali21", number: 21)
    try host.run(
      "/usr/sbin/nft",
      """
      table inet lab {
        chain pre { type nat hook prerouting priority dstnat; ip daddr 10.96.0.50 tcp dport 80 dnat ip to \(NetworkLab.only4):9999; }
        chain post { type nat hook postrouting priority srcnat; oifname "eth0" ip saddr 10.244.0.0/16 masquerade random; oifname "eth0" ip6 saddr 2001:db8:244::/48 masquerade random; }
      }
      """)
  }

  /// A pod at the bridge.
  private func attach(_ pod: NetworkNamespace, _ link: String, number: Int) throws {
    try lab.host.run("/usr/sbin/ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", pod.name)
    try lab.host.run("/usr/sbin/ip", "link", "set", link, "master", "cni0", "up")
    try configure(pod, ["10.244.1.\(number)/24", "2001:db8:244:1::\(number)/64"], gateways: ["10.244.1.1", "2001:db8:244:1::1"])
  }

  /// A pod with a route of its own.
  private func route(_ pod: NetworkNamespace, _ link: String, number: Int) throws {
    try lab.host.run("/usr/sbin/ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", pod.name)
    try lab.host.run("/usr/sbin/ip", "link", "set", link, "up")
    try lab.host.run("/usr/sbin/sysctl", "-qw", "net.ipv4.conf.\(link).proxy_arp=1", "net.ipv4.neigh.\(link).proxy_delay=0")
    try lab.host.run("/usr/sbin/ip", "-6", "addr", "add", "fe80::1/64", "dev", link, "nodad")
    try lab.host.run("/usr/sbin/ip", "route", "add", "10.244.2.\(number)/32", "dev", link)
    try lab.host.run("/usr/sbin/ip", "-6", "route", "add", "2001:db8:244:2::\(number)/128", "dev", link)
    try configure(pod, ["10.244.2.\(number)/32", "2001:db8:244:2::\(number)/128"], gateways: ["169.254.1.1", "fe80::1"])
  }

  private func configure(_ pod: NetworkNamespace, _ addresses: [String], gateways: [String]) throws {
    for address in addresses { try pod.run("/usr/sbin/ip", "addr", "add", address, "dev", "eth0", "nodad") }
    try pod.run("/usr/sbin/ip", "link", "set", "eth0", "up")
    if gateways[0].hasPrefix("169.254") { try pod.run("/usr/sbin/ip", "route", "add", "169.254.1.1", "dev", "eth0", "scope", "link") }
    for (family, gateway) in zip(["-4", "-6"], gateways) { try pod.run("/usr/sbin/ip", family, "route", "add", "default", "via", gateway, "dev", "eth0") }
  }

  private func curl(_ pod: NetworkNamespace, _ family: String, _ port: Int) throws {
    let host = family == "-4" ? NetworkLab.web4 : "[\(NetworkLab.web6)]"
    #expect(try pod.run("/usr/bin/curl", family, "-s", "--max-time", "10", "http://\(host):\(port)/") == "hello\n")
  }

  private func send(from space: NetworkNamespace, _ octets: [UInt8], _ port: UInt16) throws {
    try space.perform { try TestSocket(.udp).send(octets, to: NetworkLab.web4, port) }
  }

  private static let pods = ["10.244.1.11", "10.244.2.21", "2001:db8:244:1::11", "2001:db8:244:2::21"]

  /// With connection tracking, and without the right to ask it.
  @Test(arguments: [true, false])
  func `every flow of a pod is there once, with the pod's address, however its port is translated`(asksTracking: Bool) throws {
    let setpriv = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"]
    let enter = ["nsenter", "--net=/run/netns/\(lab.host.name)"]
    let daemon = try lab.daemon(recorded, "--no-reverse-dns", "--log-level", "info", on: nil, entering: asksTracking ? enter : enter + setpriv)
    #expect(daemon.errorsSoFar.contains("every interface (uplink eth0, 4 others; of lo only DNS)"), "\(daemon.errorsSoFar)")
    #expect(daemon.errorsSoFar.contains("told by sequence numbers and contents") != asksTracking, "\(daemon.errorsSoFar)")
    for pod in [bridged, routed] {
      for family in ["-4", "-6"] { try curl(pod, family, 80) }
      // Too short to prove anything but to connection tracking, where it is asked.
      try send(from: pod, asksTracking ? [1] : [UInt8]("a datagram of \(pod.name)".utf8), 7000)
      try pod.run("/usr/bin/ping", "-c", "2", "-i", "0.2", "-W", "2", NetworkLab.web4)
    }
    // Between two pods at one bridge, which the bridge itself does not show.
    let listener = try neighbour.perform {
      let socket = try TestSocket(.tcp)
      try socket.bind("10.244.1.12", 8080)
      try socket.listen()
      return socket
    }
    _ = try bridged.perform { try TestSocket(.tcp).connect("10.244.1.12", 8080) }
    // The node's own.
    _ = try lab.host.perform { try TestSocket(.tcp).connect(NetworkLab.web4, 443) }
    try send(from: lab.host, [UInt8]("a datagram of the node's own".utf8), 7000)
    #expect(daemon.stop().status == 0)
    withExtendedLifetime(listener) {}

    func sources(_ filters: String...) throws -> [String] {
      let outcome = try Program.egressObs(["flows", "-o", "ndjson", "--db", recorded.path] + filters)
      return try objects(outcome.output).compactMap { $0.text("source", "ip") }.sorted()
    }
    #expect(try sources("--port", "80") == Self.pods)
    #expect(try sources("--port", "7000") == ["10.244.1.11", "10.244.2.21", "192.0.2.2"])
    #expect(try sources("--transport", "icmp") == ["10.244.1.11", "10.244.2.21"])
    #expect(try sources("--port", "8080") == ["10.244.1.11"])
    #expect(try sources("--port", "443") == ["192.0.2.2"])
    for flow in try recorded.flows("--transport", "icmp") { #expect(flow.number("packets", "out") == 2 && flow.number("packets", "in") == 2) }
    for flow in try recorded.flows("--port", "80") {
      #expect(flow.text("state") == "closed" && flow.text("name_source") == "http_host")
    }
  }

  @Test func `a Service's flow is there once and says what it became`() throws {
    let daemon = try lab.daemon(recorded, "--no-reverse-dns", on: nil)
    #expect(try bridged.run("/usr/bin/curl", "-s", "--max-time", "10", "http://10.96.0.50/") == "hello\n")
    #expect(daemon.stop().status == 0)
    // The bridge asks for multicast now and then.
    let flows = try recorded.flows("--transport", "tcp")
    #expect(flows.count == 1, "\(flows)")
    let flow = try #require(flows.first)
    #expect(flow.text("source", "ip") == "10.244.1.11" && flow.text("destination", "ip") == "10.96.0.50" && flow.number("destination", "port") == 80)
    #expect(flow.text("backend", "ip") == NetworkLab.only4 && flow.number("backend", "port") == 9999, "\(flow)")
  }

  @Test func `links that come are watched from their first packet, and links that go are no error`() throws {
    let daemon = try lab.daemon(recorded, "--no-reverse-dns", on: nil)
    for round in 0..<3 {
      let pod = try NetworkNamespace()
      // The same address each time.
      try route(pod, "cali30", number: 30)
      try send(from: pod, [UInt8](repeating: UInt8(round), count: 40), UInt16(7100 + round))
      #expect(try eventually { try recorded.flows("--port", "\(7100 + round)").count == 1 }, "\(daemon.errorsSoFar)")
      try Program.run("ip", "-n", lab.host.name, "link", "del", "cali30")
    }
    // An address that the host has only now.
    try lab.host.run("/usr/sbin/ip", "addr", "add", "192.0.2.77/24", "dev", "eth0")
    #expect(try eventually {
      try lab.host.perform {
        let socket = try TestSocket(.udp)
        try socket.bind("192.0.2.77", 20_077)
        try socket.send([1, 2, 3], to: NetworkLab.web4, 7200)
      }
      return try recorded.flows("--port", "7200").contains { $0.text("source", "ip") == "192.0.2.77" }
    }, "\(daemon.errorsSoFar)")
    // The uplink goes down and comes again.
    try lab.host.run("/usr/sbin/ip", "link", "set", "eth0", "down")
    try lab.host.run("/usr/sbin/ip", "link", "set", "eth0", "up")
    try lab.host.run("/usr/sbin/ip", "route", "add", "default", "via", "192.0.2.1")
    #expect(try eventually {
      try send(from: lab.host, [4, 5, 6], 7300)
      return try !recorded.flows("--port", "7300").isEmpty
    }, "\(daemon.errorsSoFar)")
    #expect(daemon.stop().status == 0)
    for round in 0..<3 { #expect(try recorded.flows("--port", "\(7100 + round)").map { $0.text("source", "ip") } == ["10.244.2.30"]) }
    #expect(!daemon.errorsSoFar.contains("cannot capture"), "\(daemon.errorsSoFar)")
    #expect(try recorded.gaps.isEmpty)
  }

  @Test func `rights that are not needed are gone from every thread, and what is served is bounded`() throws {
    let daemon = try lab.daemon(recorded, "--no-reverse-dns", "--metrics", "127.0.0.1:9464", on: nil)
    try curl(bridged, "-4", 80)
    for task in try FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon.pid)/task") {
      let status = try String(contentsOfFile: "/proc/\(daemon.pid)/task/\(task)/status", encoding: .utf8)
      // CAP_DAC_READ_SEARCH, CAP_NET_ADMIN, CAP_NET_RAW and CAP_SYS_PTRACE.
      for set in ["CapPrm", "CapEff", "CapBnd"] { #expect(status.contains("\(set):\t0000000000083004\n"), "\(status)") }
      #expect(status.contains("CapInh:\t0000000000000000\n") && status.contains("CapAmb:\t0000000000000000\n") && status.contains("NoNewPrivs:\t1\n"))
    }

    func get(_ path: String, _ arguments: String...) throws -> String {
      try Program(["ip", "netns", "exec", lab.host.name, "curl", "-s", "-w", "%{http_code}", "--max-time", "5"] + arguments + ["http://127.0.0.1:9464" + path]).wait().output
    }
    #expect(eventually { (try? get("/readyz")) == "ok\n200" })
    #expect(try get("/healthz") == "ok\n200")
    #expect(try get("/metrics", "-X", "POST", "-d", "x") == "only GET and HEAD\n405")
    #expect(try get("/etc/passwd").hasSuffix("404"))
    #expect(eventually {
      (try? get("/metrics"))?.contains(#"egress_obs_flows_total{namespace="",verdict="none",name_source="http_host"} 1"#) == true
    }, "\((try? get("/metrics")) ?? "")")
    let page = try get("/metrics")
    for line in [
      #"egress_obs_packets_dropped_total{by="kernel"} 0"#, "egress_obs_records_lost_total 0", #"egress_obs_packets_undecoded_total{reason="not_ip"}"#,
      "process_resident_memory_bytes ", "process_cpu_seconds_total ", "# TYPE egress_obs_flows_live gauge",
    ] { #expect(page.contains(line), "\(line)") }
    #expect(page.split(separator: "\n").allSatisfy { $0.hasPrefix("#") || $0.contains(/^[a-z_]+(\{[^}]*\})? [0-9.e+-]+$/) || $0 == "200" }, "\(page)")
    #expect(!page.contains(NetworkLab.web4))

    // Who says nothing keeps nobody else out.
    let silent = try (0..<40).map { _ in
      try lab.host.perform {
        let socket = try TestSocket(.tcp)
        try socket.connect("127.0.0.1", 9464)
        return socket
      }
    }
    #expect(eventually(within: 20) { (try? get("/healthz")) == "ok\n200" })
    withExtendedLifetime(silent) {}

    let doctor = try Program(["nsenter", "--net=/run/netns/\(lab.host.name)", Program.egressObs, "doctor", "--db", recorded.path, "-o", "csv"]).wait().output
    #expect(doctor.contains(/ok,daemon \d+,"\d+ MiB resident, [0-9.]+ CPU s/), "\(doctor)")
    #expect(doctor.contains(/ok,tables \d+,"\d+ flows, \d+ names/), "\(doctor)")
    #expect(doctor.contains("ok,capture,every interface can be captured on") && doctor.contains("ok,interface eth0,uplink 192.0.2.2"), "\(doctor)")
    #expect(doctor.contains("ok,interface cni0,inside 10.244.1.1") && doctor.contains("ok,other interfaces,\"3 without an address"), "\(doctor)")
    #expect(doctor.contains("ok,address translation,connection tracking is asked: exact"), "\(doctor)")
    #expect(daemon.stop().status == 0)
  }

  @Test func `an address that is taken is told at once`() throws {
    let holder = try lab.host.perform {
      let socket = try TestSocket(.tcp)
      try socket.bind("127.0.0.1", 9464)
      try socket.listen()
      return socket
    }
    let outcome = try Program([
      "nsenter", "--net=/run/netns/\(lab.host.name)", Program.egressObs, "run", "--db", recorded.path, "--metrics", "127.0.0.1:9464",
    ]).wait()
    #expect(outcome.status == 2 && outcome.errors.contains("cannot serve metrics on 127.0.0.1:9464"), "\(outcome)")
    withExtendedLifetime(holder) {}
  }
}

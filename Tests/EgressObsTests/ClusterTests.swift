import EgressModel
import Foundation
import TestNetworks
import Testing

/// The daemon beside an API server, which tells of pods and policies as a test writes them into files.
@Suite(.enabled(if: NetworkLab.canMakeLinks && NetworkLab.isInstalled("python3"), "needs root, iproute2 and python3")) struct ClusterTests {
  private let scratch: TemporaryDirectory
  private let recorded: Database
  private let lab: NetworkLab
  private let kubeconfig: String

  init() throws {
    scratch = try TemporaryDirectory()
    recorded = Database(path: scratch / "egress.db")
    lab = try NetworkLab(servers: false)
    kubeconfig = try scratch.file(
      "kubeconfig",
      """
      {current-context: lab, contexts: [{name: lab, context: {cluster: lab, user: lab}}], users: [{name: lab, user: {token: secret}}],
       clusters: [{name: lab, cluster: {server: "http://127.0.0.1:8001"}}]}
      """)
  }

  private let far = "198.51.100.9"

  private func startServer() throws -> Program {
    let server = try Program([
      "ip", "netns", "exec", lab.internet.name, "/usr/bin/python3", "-uc",
      """
      import http.server, sys, time
      class API(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def log_message(self, *a): pass
        def whole(self, text, status=200):
          self.send_response(status); self.send_header("content-length", str(len(text))); self.end_headers(); self.wfile.write(text.encode())
        def do_GET(self):
          path, _, query = self.path.partition("?")
          kind = path.rsplit("/", 1)[1]
          if self.headers["authorization"] != "Bearer secret": return self.whole("{}", 401)
          if kind == "nodes": return self.whole('{"kind":"Status","message":"nodes is forbidden","code":403}', 403)
          if kind == "apis": return self.whole('{"groups":[{"name":"networking.k8s.io","preferredVersion":{"version":"v1"}}]}')
          if kind == "v1": return self.whole('{"resources":[{"name":"networkpolicies","kind":"NetworkPolicy","verbs":["list","watch"]}]}')
          if "watch=1" not in query: return self.whole('{"metadata":{"resourceVersion":"1"},"items":[]}')
          self.send_response(200); self.send_header("transfer-encoding", "chunked"); self.end_headers()
          sent = 0
          while True:
            try: text = open(sys.argv[1] + "/" + kind).read()
            except FileNotFoundError: text = ""
            if len(text) > sent:
              new = text[sent:].encode(); sent = len(text)
              self.wfile.write(b"%x\\r\\n%s\\r\\n" % (len(new), new)); self.wfile.flush()
            time.sleep(0.02)
      server = http.server.ThreadingHTTPServer(("127.0.0.1", 8001), API); server.daemon_threads = True
      print("bound"); server.serve_forever()
      """, scratch.path,
    ])
    #expect(eventually { server.outputSoFar == "bound\n" }, "\(server.errorsSoFar)")
    return server
  }

  /// Lets the API tell of an event.
  private func tell(_ kind: String, _ type: String, _ object: String) throws {
    let path = scratch / kind
    let before = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    let version = before.split(separator: "\n").count + 2
    // In place, so that the server never sees it half gone.
    let file = FileHandle(forWritingAtPath: path) ?? { _ = FileManager.default.createFile(atPath: path, contents: nil); return FileHandle(forWritingAtPath: path) }()
    try file?.seekToEnd()
    try file?.write(contentsOf: Data((#"{"type":"\#(type)","object":"# + object.replacingOccurrences(of: "VERSION", with: "\(version)") + "}\n").utf8))
    try file?.close()
  }

  /// A pod with the address of the lab's host.
  ///
  /// - Parameter age: seconds since the kubelet took it; the API tells whole ones.
  private func pod(_ uid: String, _ owner: String, age: Int64 = 60) -> String {
    let started = Timestamp(seconds: Int64(Date().timeIntervalSince1970) - age)
    return #"{"metadata":{"name":"\#(owner)-5d8-\#(uid)","namespace":"shop","uid":"\#(uid)","resourceVersion":"VERSION","labels":{"pod-template-hash":"5d8"},"ownerReferences":[{"kind":"ReplicaSet","name":"\#(owner)-5d8","controller":true}]},"spec":{},"status":{"phase":"Running","podIP":"192.0.2.2","startTime":"\#(started)"}}"#
  }

  @Test func `a flow is its pod's though the API tells of the pod later, and the cluster's policies judge it`() throws {
    let server = try startServer()
    let daemon = try lab.daemon(recorded, "--no-reverse-dns", "--local", "192.0.2.2", "--kubernetes", "kubeconfig=" + kubeconfig, in: lab.internet)
    #expect(eventually { daemon.errorsSoFar.contains("the cluster's API tells of 0 pods") }, "\(daemon.errorsSoFar)")
    #expect(daemon.errorsSoFar.contains("nodes is forbidden"))

    // Not to an address of the daemon's own host: who talks to that is a stranger.
    try lab.send(1, to: far, port: 7000)
    // Its record waits for better news than an address.
    #expect(try !eventually(within: 3) { try !recorded.flows("--port", "7000").isEmpty })
    try tell("pods", "ADDED", pod("a", "web"))
    #expect(try eventually { try recorded.flows("--port", "7000").count == 1 }, "\(daemon.errorsSoFar)")
    let first = try #require(try recorded.flows("--port", "7000").first)
    #expect(first.text("workload", "namespace") == "shop" && first.text("workload", "name") == "web-5d8-a" && first.text("workload", "uid") == "a")
    #expect(first.text("workload", "owner", "kind") == "Deployment" && first.text("workload", "owner", "name") == "web")
    #expect(try recorded.flows("--port", "7000", "--workload", "deployment/web").count == 1)

    // Another pod gets the address.
    try tell("networkpolicies", "ADDED", #"{"metadata":{"name":"all","namespace":"shop","resourceVersion":"VERSION","managedFields":[{}]},"spec":{"podSelector":{},"policyTypes":["Egress"],"egress":[{"to":[{"ipBlock":{"cidr":"198.51.100.0/24"}}]}]}}"#)
    try tell("pods", "DELETED", pod("a", "web"))
    try tell("pods", "ADDED", pod("b", "cart"))
    func verdict(_ port: UInt16) throws -> [String?] {
      try lab.send(1, to: far, port: port)
      #expect(try eventually { try recorded.flows("--port", "\(port)").count == 1 }, "\(daemon.errorsSoFar)")
      let flow = try recorded.flows("--port", "\(port)").first
      return [flow?.text("workload", "owner", "name"), flow?.text("verdict", "decision")]
    }
    var port: UInt16 = 7001
    #expect(try eventually { port += 1; return try verdict(port) == ["cart", "allowed"] }, "\(daemon.errorsSoFar)")
    try tell("networkpolicies", "MODIFIED", #"{"metadata":{"name":"all","namespace":"shop","resourceVersion":"VERSION"},"spec":{"podSelector":{},"policyTypes":["Egress"]}}"#)
    #expect(try eventually { port += 1; return try verdict(port) == ["cart", "denied"] }, "\(daemon.errorsSoFar)")

    // Without its API the daemon goes on with what it knows.
    server.crash()
    #expect(eventually { daemon.errorsSoFar.contains("cannot reach the API server") }, "\(daemon.errorsSoFar)")
    #expect(try verdict(port + 1) == ["cart", "denied"])
    #expect(daemon.stop(seconds: 10).status == 0)
  }

  @Test func `pods that come and go on one address many times a second have each its own flows`() throws {
    let server = try startServer()
    let daemon = try lab.daemon(
      recorded, "--no-reverse-dns", "--local", "192.0.2.2", "--kubernetes", "kubeconfig=" + kubeconfig, "--metrics", "127.0.0.1:9464", in: lab.internet)
    func isTold(_ pods: Int) -> Bool {
      eventually {
        let page = (try? Program(["ip", "netns", "exec", lab.internet.name, "curl", "-s", "http://127.0.0.1:9464/metrics"]).wait().output) ?? ""
        return page.contains("egress_obs_kubernetes_objects{resource=\"pods\"} \(pods)\n")
      }
    }
    #expect(isTold(0), "\(daemon.errorsSoFar)")
    for turn in 0..<30 {
      let pod = pod("\(turn)", "job", age: 0)
      try tell("pods", "ADDED", pod)
      #expect(isTold(1), "\(daemon.errorsSoFar)")
      try lab.send(1, to: far, port: UInt16(7000 + turn), from: UInt16(21_000 + turn))
      // Gone before its flow is recorded.
      try tell("pods", "DELETED", pod)
      #expect(isTold(0), "\(daemon.errorsSoFar)")
    }
    #expect(try eventually { try recorded.flows().count == 30 }, "\(daemon.errorsSoFar)")
    #expect(daemon.stop(seconds: 10).status == 0)
    server.stop(seconds: 5)
    for turn in 0..<30 { #expect(try recorded.flows("--port", "\(7000 + turn)").map { $0.text("workload", "uid") } == ["\(turn)"]) }
  }

  @Test func `after a crash what was seen keeps its pod, and the report shows the gap`() throws {
    let server = try startServer()
    func daemon() throws -> Program {
      let daemon = try lab.daemon(recorded, "--no-reverse-dns", "--local", "192.0.2.2", "--kubernetes", "kubeconfig=" + kubeconfig, in: lab.internet)
      #expect(eventually { daemon.errorsSoFar.contains("the cluster's API tells of") }, "\(daemon.errorsSoFar)")
      return daemon
    }
    try tell("pods", "ADDED", pod("a", "web"))
    let first = try daemon()
    try lab.send(1, to: far, port: 7000)
    #expect(try eventually { try recorded.flows("--port", "7000").count == 1 }, "\(first.errorsSoFar)")
    first.crash()
    // Nobody sees this one.
    try lab.send(1, to: far, port: 7001)
    try tell("pods", "DELETED", pod("a", "web"))
    try tell("pods", "ADDED", pod("b", "cart", age: 0))
    let second = try daemon()
    #expect(second.errorsSoFar.contains("nobody watched from"), "\(second.errorsSoFar)")
    var port: UInt16 = 7100
    #expect(try eventually {
      port += 1
      try lab.send(1, to: far, port: port)
      return try eventually(within: 3) { try recorded.flows("--port", "\(port)").first?.text("workload", "uid") == "b" }
    }, "\(second.errorsSoFar)")
    #expect(second.stop(seconds: 10).status == 0)
    server.stop(seconds: 5)
    #expect(try recorded.flows("--port", "7000").map { $0.text("workload", "uid") } == ["a"])
    #expect(try recorded.flows("--port", "7001").isEmpty)
    #expect(try recorded.gaps == ["killed"])
  }

  @Test func `doctor says what of the cluster can be read`() throws {
    let server = try startServer()
    let outcome = try Program([
      "ip", "netns", "exec", lab.internet.name, Program.egressObs, "doctor", "--db", recorded.path, "--kubernetes", "kubeconfig=" + kubeconfig, "-o", "csv",
    ]).wait()
    #expect(outcome.output.contains(/ok,API server http:\/\/127.0.0.1:8001,can be read/), "\(outcome)")
    #expect(outcome.output.contains(/warn,nodes,.*nodes is forbidden/) && outcome.output.contains(/ok,networkpolicies.networking.k8s.io,/), "\(outcome)")
    server.stop(seconds: 5)
    let away = try Program([
      "ip", "netns", "exec", lab.internet.name, Program.egressObs, "doctor", "--db", recorded.path, "--kubernetes", "kubeconfig=" + kubeconfig, "-o", "csv",
    ]).wait()
    #expect(away.output.contains(/warn,API server http:\/\/127.0.0.1:8001,.*cannot reach/), "\(away)")
  }
}

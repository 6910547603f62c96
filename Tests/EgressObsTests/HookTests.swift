import Foundation
import TestNetworks
import Testing

/// Alerts, from a packet to a program or a server that hears of it.
@Suite(.enabled(if: NetworkLab.canMakeLinks, "needs root and iproute2")) struct HookTests {
  private let scratch: TemporaryDirectory
  private let recorded: Database

  init() throws {
    scratch = try TemporaryDirectory()
    recorded = Database(path: scratch / "egress.db")
  }

  /// A hook that keeps what it gets in the file of its name, and each alert's id in another.
  private func hook(_ name: String, first: String = "") throws -> String {
    try scratch.script(
      name + ".sh",
      """
      #!/bin/sh
      echo "$EGRESS_OBS_ALERT_ID" >> \(scratch / name).ids
      \(first)
      cat >> \(scratch / name).got
      """)
  }

  private func got(_ name: String) throws -> [[String: Any]] {
    try objects((try? String(contentsOfFile: scratch / "\(name).got", encoding: .utf8)) ?? "")
  }

  private func lines(_ name: String) -> [String] {
    ((try? String(contentsOfFile: scratch / name, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
  }

  private func isAlive(_ pid: String) -> Bool { FileManager.default.fileExists(atPath: "/proc/\(pid)/cwd") }

  @Test(.enabled(if: NetworkLab.isPossible, "\(NetworkLab.need)"))
  func `a thousand flows to a new vendor, by several names, are one alert in the published shape`() throws {
    let lab = try NetworkLab()
    let daemon = try lab.daemon(
      recorded, "--no-reverse-dns", "--learning-window", "0s", "--exec-hook", try hook("hook"), environment: ["NODE_NAME": "node-7"])
    for (name, ports) in [("api.stripe.com", UInt16(20_000)), ("dashboard.stripe.com", 21_000)] {
      #expect(try lab.run("dig", "+short", name).output.contains(NetworkLab.web4))
      try lab.send(500, port: 7000, from: ports)
    }
    _ = try eventually { try recorded.flows("--port", "7000").count == 1000 }
    let flows = try recorded.flows("--port", "7000")
    #expect(flows.count == 1000 && flows.allSatisfy { $0.text("vendor", "name") == "Stripe" }, "\(flows.count) \(daemon.errorsSoFar)")
    #expect(try eventually { try recorded.alerts().allSatisfy { $0.text("state") == "delivered" } })

    let alerts = try got("hook").filter { $0.text("vendor", "name") == "Stripe" }
    let alert = try #require(alerts.first)
    #expect(alerts.count == 1)
    #expect(alert.text("schema") == "egress-obs.alert.v1" && alert.text("finding") == "new" && alert.text("node") == "node-7")
    #expect(alert.text("title")?.contains(".stripe.com:7000") == true)
    #expect(alert.text("destination", "ip") == NetworkLab.web4)
    let id = try #require(alert.text("id"))
    #expect(lines("hook.ids").filter { $0 == id }.count == 1)
    if FormatTests.hasSchemaValidator {
      let validator = try Program(["/usr/bin/python3", Sample.root + "/schemas/validate", "alert.v1", scratch / "hook.got"]).wait()
      #expect(validator.status == 0, "\(validator.errors)")
      let listed = try Program.egressObs("alerts", "list", "--db", recorded.path, "-o", "ndjson").output
      #expect(try Program(["/usr/bin/python3", Sample.root + "/schemas/validate"], input: listed).wait().status == 0)
    }

    // The commands tell the same.
    let row = try #require(try recorded.alerts().first { $0.text("id") == id })
    #expect(row.number("attempts") == 1 && row.text("state") == "delivered" && row.text("hook")?.hasPrefix("exec:") == true)
    let shown = try objects(Program.egressObs("alerts", "show", id, "--db", recorded.path).output)
    #expect(shown.first?.text("id") == id && shown.first?.text("title") == alert.text("title"))
    let retried = try Program.egressObs("alerts", "retry", id, "--db", recorded.path)
    #expect(retried.status == 2 && retried.errors.contains("is no undelivered alert"))
    let unknown = try Program.egressObs("alerts", "show", "nosuch", "--db", recorded.path)
    #expect(unknown.status == 2 && unknown.errors.contains("there is no such alert"))
    #expect(daemon.stop().status == 0)
  }

  @Test func `hooks that hang, fail or do not read are ended, tried again and do not hold up the others`() throws {
    let lab = try NetworkLab(servers: false)
    let good = try hook("good")
    let hangs = try hook("hangs", first: "trap '' TERM; if mkdir \(scratch / "hung"); then echo $$ > \(scratch / "hung")/pid; sleep 600; fi")
    let fails = try hook("fails", first: "mkdir \(scratch / "failed") && exit 1")
    let deaf = try scratch.script("deaf.sh", "#!/bin/sh\necho \"$EGRESS_OBS_ALERT_ID\" >> \(scratch / "deaf.ids")\nexec 0<&-\nexit 0\n")
    let daemon = try lab.daemon(
      recorded, "--no-reverse-dns", "--learning-window", "0s", "--hook-timeout", "5s", "--exec-hook", hangs, "--exec-hook", good,
      "--exec-hook", fails, "--exec-hook", deaf)
    try lab.send(1, port: 7000)
    #expect(
      try eventually(within: 60) {
        let alerts = try recorded.alerts()
        return alerts.count == 4 && alerts.allSatisfy { $0.text("state") == "delivered" }
      }, "\(daemon.errorsSoFar)")
    let attempts = Dictionary(
      try recorded.alerts().map { (($0.text("hook") ?? "").split(separator: "/").last.map(String.init) ?? "", $0.number("attempts") ?? 0) }
    ) { first, _ in first }
    #expect(attempts == ["good.sh": 1, "hangs.sh": 2, "fails.sh": 2, "deaf.sh": 1], "\(daemon.errorsSoFar)")
    #expect(daemon.errorsSoFar.contains("gave no answer within 5s"))
    #expect(daemon.errorsSoFar.contains("ended with"))
    // The one that hung is gone, though it heeds no SIGTERM.
    let pid = try #require(lines("hung/pid").first)
    #expect(eventually { !isAlive(pid) })
    for name in ["good", "hangs", "fails"] {
      let alerts = try got(name)
      #expect(alerts.count == 1)
      // The id is the same in every attempt.
      #expect(Set(lines(name + ".ids")) == [alerts.first?.text("id") ?? ""])
    }
    #expect(daemon.stop().status == 0)
  }

  @Test func `an alert whose daemon is killed while it is delivered is delivered after the restart, with the same id`() throws {
    let lab = try NetworkLab(servers: false)
    let slow = try hook("slow", first: "if mkdir \(scratch / "hung"); then echo $$ > \(scratch / "hung")/pid; exec sleep 600; fi")
    let arguments = ["--no-reverse-dns", "--learning-window", "0s", "--exec-hook", slow]
    func start() throws -> Program { try lab.daemon(recorded, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]) }
    let daemon = try start()
    try lab.send(1, port: 7000)
    #expect(eventually { !lines("hung/pid").isEmpty }, "\(daemon.errorsSoFar)")
    daemon.crash()
    if let pid = lines("hung/pid").first.flatMap({ Int32($0) }) { kill(pid, SIGKILL) }
    let waiting = try recorded.alerts()
    #expect(waiting.map { $0.text("state") } == ["pending"])

    let next = try start()
    #expect(try eventually { try got("slow").count == 1 }, "\(next.errorsSoFar)")
    let id = try #require(waiting.first?.text("id"))
    #expect(try got("slow").first?.text("id") == id)
    #expect(lines("slow.ids") == [id, id])
    #expect(try eventually { try recorded.alerts().first?.text("state") == "delivered" })
    #expect(next.stop().status == 0)
  }

  /// A web server that answers 503 as often as it is told, then 204, and keeps what it got.
  private static let server = """
    import http.server, json, sys
    failures, kept = int(sys.argv[1]), sys.argv[2]
    class Receiver(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def do_POST(self):
            global failures
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            with open(kept, "a") as file:
                file.write(json.dumps({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}, "body": json.loads(body)}) + "\\n")
            self.send_response(503 if failures > 0 else 204)
            self.send_header("content-length", "0")
            self.end_headers()
            failures -= 1
        def log_message(self, *arguments): pass
    server = http.server.HTTPServer(("127.0.0.1", 8099), Receiver)
    print("up", flush=True)
    server.serve_forever()
    """

  @Test(.enabled(if: NetworkLab.isInstalled("python3"), "needs python3"))
  func `a webhook that cannot be reached and then fails twice gets the alert in the end`() throws {
    let lab = try NetworkLab(servers: false)
    let daemon = try lab.daemon(
      recorded, "--no-reverse-dns", "--learning-window", "0s", "--webhook", "http://127.0.0.1:8099/alerts?team=a",
      environment: ["EGRESS_OBS_WEBHOOK_TOKEN": "s3cret"])
    try lab.send(1, port: 7000)
    #expect(try eventually { try recorded.alerts().first?.number("attempts") ?? 0 > 0 }, "\(daemon.errorsSoFar)")
    #expect(daemon.errorsSoFar.contains("could not be reached"))

    let server = try Program([
      "ip", "netns", "exec", lab.host.name, "/usr/bin/python3", try scratch.file("server.py", Self.server), "2", scratch / "kept",
    ])
    #expect(eventually { server.outputSoFar == "up\n" }, "\(server.errorsSoFar)")
    // Due at once, so that the test need not wait for the back-off.
    let retried = try Program.egressObs("alerts", "retry", "--all", "--db", recorded.path)
    #expect(retried.status == 0 && retried.errors == "1 due now\n", "\(retried)")
    #expect(try eventually(within: 60) { try recorded.alerts().first?.text("state") == "delivered" }, "\(daemon.errorsSoFar)")

    let requests = try objects(String(contentsOfFile: scratch / "kept", encoding: .utf8))
    let id = try #require(try recorded.alerts().first?.text("id"))
    #expect(requests.count == 3)
    for request in requests {
      #expect(request.text("path") == "/alerts?team=a")
      #expect(request.text("headers", "content-type") == "application/json")
      #expect(request.text("headers", "authorization") == "Bearer s3cret")
      #expect(request.text("headers", "idempotency-key") == id && request.text("body", "id") == id)
    }
    #expect(daemon.errorsSoFar.contains("answered HTTP 503"))
    #expect(!daemon.errorsSoFar.contains("s3cret"))
    #expect(daemon.stop().status == 0)
    server.stop(seconds: 5)
  }

  @Test func `a new database is learned from in quiet, over a restart, too`() throws {
    let lab = try NetworkLab(servers: false)
    for port in ["7000", "7001"] {
      let daemon = try lab.daemon(recorded, "--no-reverse-dns", "--exec-hook", try hook("hook"))
      try lab.send(1, port: UInt16(port) ?? 0)
      #expect(try eventually { try recorded.flows("--port", port).count == 1 })
      #expect(daemon.stop().status == 0)
      #expect(try recorded.report().contains { $0.text("finding") == "new" && $0.number("destination", "port") == Int(port) })
      #expect(try recorded.alerts().isEmpty)
    }
    #expect(lines("hook.ids").isEmpty)
  }
}

@Suite struct AlertsTestCommandTests {
  @Test func `a hook can be tested without a daemon`() throws {
    let scratch = try TemporaryDirectory()
    let good = try scratch.script("good.sh", "#!/bin/sh\ncat > \(scratch / "got")\n")
    let bad = try scratch.script("bad.sh", "#!/bin/sh\nexit 3\n")
    let outcome = try Program.egressObs("alerts", "test", "--exec-hook", good)
    #expect(outcome.status == 0 && outcome.output == "exec:\(good): delivered\n", "\(outcome)")
    let payload = try objects(String(contentsOfFile: scratch / "got", encoding: .utf8))
    #expect(payload.count == 1 && payload[0].text("title")?.contains("test") == true)
    let both = try Program.egressObs("alerts", "test", "--exec-hook", good, "--exec-hook", bad, "--webhook", "http://127.0.0.1:9/")
    #expect(both.status == 2)
    #expect(both.output.contains("exec:\(bad): ended with") && both.output.contains("webhook:http://127.0.0.1:9/: could not be reached"), "\(both.output)")
    #expect(both.errors.contains("2 of 3 hooks failed"))
  }
}

import EgressModel
import Policy
import Testing

@Suite struct SystemdTests {
  static func unit(_ name: String) -> Workload { Workload(kind: .systemd, name: name) }

  /// Reads unit files, given as path and text.
  static func policies(_ files: [(path: String, text: String)]) -> PolicySet {
    var policies = PolicySet()
    for (path, text) in files { #expect(policies.add(text, file: path) == []) }
    return policies
  }

  @Test(arguments: [
    ("units/nginx.service", true), ("a.slice", true), ("a.scope", true), ("a.socket", true), ("-.slice", true), ("app@.service", true), ("x/nginx.service.d/10.conf", true),
    ("service.d/10.conf", true), ("app-.service.d/10.conf", true), ("nginx.conf", false), ("nginx.service.d/README", false), ("conf.d/a.conf", false), ("a.timer", false), ("a.yaml", false),
    ("multi-user.target.wants/nginx.service", false), ("nginx.service.d/a.yaml", false), ("service", false), ("", false), (".service", false),
  ])
  func `unit files are told by their paths`(_ path: String, _ isUnit: Bool) {
    #expect(PolicySet.isUnitFile(path) == isUnit)
  }

  @Test(arguments: [
    ("[Service]\nIPAddressAllow=10.0.0.0/33", 2, "Service.IPAddressAllow", "no address"), ("[Service]\nIPAddressDeny=all", 2, "Service.IPAddressDeny", "no address"),
    ("[Service]\nIPAddressDeny=any extra", 2, "Service.IPAddressDeny", "\"extra\""), ("[Unit]\nIPAddressDeny=any", 2, "Unit.IPAddressDeny", "no effect in section [Unit]"),
    ("IPAddressDeny=any", 1, ".IPAddressDeny", "no effect in section []"), ("[Slice]\nIPAddressDeny=any", 2, "Slice.IPAddressDeny", "no effect in section [Slice]"),
    ("[Service]\nipaddressdeny=any", 2, "Service.ipaddressdeny", "unknown setting"), ("[Service]\nIPAddressDenied=any", 2, "Service.IPAddressDenied", "unknown setting"),
    ("[Service]\nExecStart=/bin/a \\\n  --b\nIPAddressDeny any", 4, "Service", "no setting"), ("[Service\n", 1, "", "no section"),
    ("[Service]\nRestrictNetworkInterfaces=a/b", 2, "Service.RestrictNetworkInterfaces", "no name of an interface"), ("[Service]\nSlice=web", 2, "Service.Slice", "no slice"),
  ])
  func `what systemd would pass over with a warning is an error`(_ text: String, _ line: Int, _ path: String, _ problem: String) {
    var policies = PolicySet()
    let errors = policies.add(text, file: "nginx.service")
    #expect(errors.map(\.line) == [line])
    #expect(errors.map(\.path) == [path])
    #expect(errors.first?.problem.contains(problem) == true, "\(errors)")
    #expect(policies.isEmpty)
  }

  @Test func `comments, continued lines, white space and other settings are read as systemd does`() throws {
    let text = "# c\r\n[Unit]\r\nDescription=a=b\r\n[Service]\r\nExecStart=/bin/a \\\r\n; a comment between\r\n  IPAddressAllow=10.0.0.1\r\n  IPAddressDeny = any \\\r\n# c\r\n  10.0.0.0/8\r\nX-Foo=1\r\n"
    let rules = Self.policies([("nginx.service", text)]).rules
    #expect(rules.map(\.summary) == ["deny to 0.0.0.0/0 or ::/0 or 10.0.0.0/8"])
    #expect(rules.map(\.line) == [8])
  }

  static let deny = "[Service]\nIPAddressDeny=any\n"

  static let verdicts: [([(path: String, text: String)], String, String, Verdict.Decision, [String])] = [
    // Of one unit: what is allowed, then what is denied, then everything.
    ([("a.service", "[Service]\nIPAddressDeny=any\nIPAddressAllow=203.0.113.0/24 localhost")], "a.service", "203.0.113.9", .allowed, ["systemd/a.service#1"]),
    ([("a.service", "[Service]\nIPAddressDeny=any\nIPAddressAllow=203.0.113.0/24 localhost")], "a.service", "198.51.100.1", .denied, ["systemd/a.service#0"]),
    ([("a.service", "[Service]\nIPAddressDeny=any\nIPAddressAllow=203.0.113.0/24 localhost")], "a.service", "127.0.0.53", .allowed, ["systemd/a.service#1"]),
    ([("a.service", deny)], "a.service", "::1", .denied, ["systemd/a.service#0"]), ([("a.service", deny)], "a.service", "2001:db8::1", .denied, ["systemd/a.service#0"]),
    ([("a.service", "[Service]\nIPAddressAllow=203.0.113.9")], "a.service", "198.51.100.1", .allowed, []),
    ([("a.service", "[Service]\nIPAddressDeny=link-local multicast 10.0.0.0/8")], "a.service", "fe80::1", .denied, ["systemd/a.service#0"]),
    ([("a.service", "[Service]\nIPAddressDeny=link-local multicast 10.0.0.0/8")], "a.service", "203.0.113.9", .allowed, []),
    ([("a.service", deny)], "b.service", "203.0.113.9", .unprotected, []),
    ([("a.service", "[Service]\nExecStart=/bin/a")], "a.service", "203.0.113.9", .unprotected, []),
    // Given twice the lists are joined, given empty they begin anew.
    ([("a.service", "[Service]\nIPAddressDeny=any\nIPAddressAllow=10.0.0.0/8\nIPAddressAllow=203.0.113.9")], "a.service", "10.1.1.1", .allowed, ["systemd/a.service#1"]),
    ([("a.service", "[Service]\nIPAddressDeny=any\nIPAddressAllow=10.0.0.0/8\nIPAddressAllow=\nIPAddressAllow=203.0.113.9")], "a.service", "10.1.1.1", .denied, ["systemd/a.service#0"]),
    ([("a.service", "[Service]\nIPAddressDeny=any\nIPAddressDeny=\n")], "a.service", "10.1.1.1", .unprotected, []),
    // Drop-ins come after the file, by name; one of a nearer directory takes the place of its namesake.
    ([("a.service", deny), ("a.service.d/10.conf", "[Service]\nIPAddressDeny=\n")], "a.service", "203.0.113.9", .unprotected, []),
    ([("a.service.d/20.conf", "[Service]\nIPAddressDeny=\n"), ("a.service.d/30.conf", deny)], "a.service", "203.0.113.9", .denied, ["systemd/a.service.d/30.conf#0"]),
    ([("service.d/10.conf", deny)], "a.service", "203.0.113.9", .denied, ["systemd/service.d/10.conf#0"]),
    ([("service.d/10.conf", deny), ("a.service.d/10.conf", "[Service]\nIPAddressAllow=10.0.0.1")], "a.service", "203.0.113.9", .allowed, []),
    ([("service.d/10.conf", deny), ("a.service.d/10.conf", "")], "a.service", "203.0.113.9", .unprotected, []),
    ([("app-.service.d/10.conf", deny)], "app-web-1.service", "203.0.113.9", .denied, ["systemd/app-.service.d/10.conf#0"]),
    ([("app-web-.service.d/10.conf", "[Service]\nIPAddressAllow=any"), ("app-.service.d/10.conf", deny)], "app-web-1.service", "203.0.113.9", .allowed, ["systemd/app-web-.service.d/10.conf#0"]),
    ([("app-.service.d/10.conf", deny)], "app.service", "203.0.113.9", .unprotected, []),
    // Templates.
    ([("app@.service", deny)], "app@one.service", "203.0.113.9", .denied, ["systemd/app@.service#0"]),
    ([("app@.service", deny), ("app@one.service", "[Service]\nUser=x")], "app@one.service", "203.0.113.9", .unprotected, []),
    ([("app@.service.d/10.conf", deny), ("app@one.service.d/10.conf", "[Service]\nIPAddressAllow=10.0.0.1")], "app@one.service", "203.0.113.9", .allowed, []),
    ([("app@.service.d/10.conf", deny), ("app@one.service.d/10.conf", "[Service]\nIPAddressAllow=10.0.0.1")], "app@two.service", "203.0.113.9", .denied, ["systemd/app@.service.d/10.conf#0"]),
    // Directories.
    ([("/usr/lib/systemd/system/a.service", deny), ("/etc/systemd/system/a.service", "[Service]\nIPAddressAllow=10.0.0.1")], "a.service", "203.0.113.9", .allowed, []),
    ([("h/etc/systemd/system/a.service.d/1.conf", deny), ("h/run/systemd/system/a.service.d/1.conf", "")], "a.service", "203.0.113.9", .denied, ["systemd/a.service.d/1.conf#0"]),
    ([("/etc/systemd/system/a.service", ""), ("/usr/lib/systemd/system/a.service", deny)], "a.service", "203.0.113.9", .unprotected, []),
    // Slices: the default, a given one, its parents, the root; what a unit allows opens what its slices deny, and the other way round.
    ([("system.slice", "[Slice]\nIPAddressDeny=any")], "a.service", "203.0.113.9", .denied, ["systemd/system.slice#0"]),
    ([("system.slice", "[Slice]\nIPAddressDeny=any"), ("a.service", "[Service]\nIPAddressAllow=203.0.113.9")], "a.service", "203.0.113.9", .allowed, ["systemd/a.service#0"]),
    ([("-.slice", "[Slice]\nIPAddressAllow=203.0.113.9"), ("a.service", deny)], "a.service", "203.0.113.9", .allowed, ["systemd/-.slice#0"]),
    ([("web.slice", "[Slice]\nIPAddressDeny=any"), ("a.service", "[Service]\nSlice=web-front.slice")], "a.service", "203.0.113.9", .denied, ["systemd/web.slice#0"]),
    ([("system.slice", "[Slice]\nIPAddressDeny=any"), ("a.service", "[Service]\nSlice=web-front.slice")], "a.service", "203.0.113.9", .unprotected, []),
    ([("web.slice", "[Slice]\nIPAddressDeny=any"), ("a.service", "[Service]\nSlice=web.slice"), ("a.service.d/1.conf", "[Service]\nSlice=")], "a.service", "203.0.113.9", .unprotected, []),
    ([("system-my\\x2dapp.slice", "[Slice]\nIPAddressDeny=any")], "my-app@1.service", "203.0.113.9", .denied, ["systemd/system-my\\x2dapp.slice#0"]),
    ([("app-one.slice", "[Slice]\nIPAddressDeny=any"), ("app@.service", "[Service]\nSlice=app-%i.slice")], "app@one.service", "203.0.113.9", .denied, ["systemd/app-one.slice#0"]),
    ([("user-.slice.d/10.conf", "[Slice]\nIPAddressDeny=any")], "user@1000.service", "203.0.113.9", .denied, ["systemd/user-.slice.d/10.conf#0"]),
    ([("slice.d/10.conf", "[Slice]\nIPAddressDeny=any")], "init.scope", "203.0.113.9", .denied, ["systemd/slice.d/10.conf#0"]),
    // A socket unit's settings are for the sockets it listens on.
    ([("a.socket", "[Socket]\nIPAddressDeny=any")], "a.socket", "203.0.113.9", .unprotected, []),
    // Interfaces.
    ([("a.service", "[Service]\nRestrictNetworkInterfaces=lo")], "a.service", "203.0.113.9", .denied, ["systemd/a.service#0"]),
    ([("a.service", "[Service]\nRestrictNetworkInterfaces=lo")], "a.service", "127.0.0.1", .allowed, []),
    ([("a.service", "[Service]\nRestrictNetworkInterfaces=eth0")], "a.service", "127.0.0.1", .denied, ["systemd/a.service#0"]),
    ([("a.service", "[Service]\nRestrictNetworkInterfaces=eth0 eth1")], "a.service", "203.0.113.9", .undecidable, []),
    ([("a.service", "[Service]\nRestrictNetworkInterfaces=~lo")], "a.service", "203.0.113.9", .allowed, []),
    ([("a.service", "[Service]\nRestrictNetworkInterfaces=~lo")], "a.service", "127.0.0.1", .denied, ["systemd/a.service#0"]),
    ([("a.service", "[Service]\nRestrictNetworkInterfaces=lo eth0\nRestrictNetworkInterfaces=~eth0")], "a.service", "203.0.113.9", .denied, ["systemd/a.service#0"]),
    ([("a.service", "[Service]\nRestrictNetworkInterfaces=lo\nRestrictNetworkInterfaces=\nRestrictNetworkInterfaces=~lo")], "a.service", "203.0.113.9", .allowed, []),
    ([("a.service", "[Service]\nRestrictNetworkInterfaces=~lo"), ("system.slice", "[Slice]\nRestrictNetworkInterfaces=lo")], "a.service", "203.0.113.9", .denied, ["systemd/system.slice#0"]),
    ([("a.service", "[Service]\nRestrictNetworkInterfaces=eth0\nIPAddressDeny=any")], "a.service", "203.0.113.9", .denied, ["systemd/a.service#1"]),
    // A program that nobody here can read may deny what the lists let through.
    ([("a.service", "[Service]\nIPEgressFilterPath=/sys/fs/bpf/x")], "a.service", "203.0.113.9", .undecidable, []),
    ([("a.service", "[Service]\nIPEgressFilterPath=/sys/fs/bpf/x\nIPEgressFilterPath=\nIPAddressAllow=any")], "a.service", "203.0.113.9", .allowed, ["systemd/a.service#2"]),
  ]

  @Test(arguments: verdicts.indices)
  func `a unit reaches what its lists and those of its slices let through`(_ index: Int) throws {
    let (files, unit, address, decision, by) = Self.verdicts[index]
    for files in [files, files.reversed()] {
      let verdict = Judge(policies: Self.policies(files), inventory: Inventory()).judge(Self.unit(unit), try destination(address, 443))
      #expect(verdict.decision == decision, "\(Self.verdicts[index])")
      #expect(verdict.by.map(\.description) == by, "\(Self.verdicts[index])")
    }
  }

  @Test func `a denial says which list was missed, too`() throws {
    let policies = Self.policies([("a.service", "[Service]\nIPAddressAllow=10.0.0.0/8"), ("system.slice", "[Slice]\nIPAddressDeny=any")])
    let verdict = Judge(policies: policies, inventory: Inventory()).judge(Self.unit("a.service"), try destination("203.0.113.9", 443))
    #expect(verdict.reason == "systemd/system.slice#0: IPAddressDeny=any holds 203.0.113.9, and no IPAddressAllow= of the unit and its slices holds 203.0.113.9 (systemd/a.service#0: IPAddressAllow=10.0.0.0/8)")
    #expect(verdict.nearest?.description == "systemd/a.service#0")
    #expect(verdict.selectedBy == ["systemd/a.service", "systemd/system.slice"])
  }

  @Test func `two files of one name need directories that say which counts`() {
    var policies = Self.policies([("one/a.service", Self.deny)])
    #expect(policies.add(Self.deny, file: "two/a.service").map(\.problem) == ["a.service is already defined at one/a.service"])
    #expect(policies.add(Self.deny, file: "two/a.service.d/1.conf") == [])
    #expect(policies.count == 2)
  }

  @Test func `it stands beside EgressPolicy, and is about units alone`() throws {
    var policies = Self.policies([("a.service", "[Service]\nIPAddressDeny=any\nIPAddressAllow=203.0.113.0/24")])
    #expect(policies.add("apiVersion: egress-obs.dev/v1\nkind: EgressPolicy\nmetadata: {name: x}\nspec: {select: {hosts: {units: ['*'], containers: ['*']}}, allow: [{ports: [443]}]}", file: "x.yaml") == [])
    let judge = Judge(policies: policies, inventory: inventory(shopInventory))
    #expect(judge.judge(Self.unit("a.service"), try destination("203.0.113.9", 443)).by.map(\.description) == ["EgressPolicy/x#0", "systemd/a.service#1"])
    #expect(judge.judge(Self.unit("a.service"), try destination("203.0.113.9", 80)).decision == .denied)
    #expect(judge.judge(Self.unit("a.service"), try destination("198.51.100.1", 443)).decision == .denied)
    #expect(judge.judge(Workload(kind: .container, name: "a"), try destination("198.51.100.1", 443)).decision == .allowed)
    #expect(judge.judge(pod("shop", "web-1"), try destination("198.51.100.1", 443)).decision == .unprotected)
  }
}

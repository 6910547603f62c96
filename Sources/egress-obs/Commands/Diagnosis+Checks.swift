import Capture
import Drift
import EgressModel
import Host
import Policy
import Reporting
import Storage

/// The checks of `doctor`, from the machine up.
extension Diagnosis {
  static func host() -> [Diagnosis] {
    var rows: [Diagnosis] = []
    do {
      let capabilities = try Capabilities.current()
      let canCapture = capabilities.has("net_raw")
      rows.append(
        Diagnosis(
          check: "capabilities", status: canCapture ? .ok : .fail,
          detail: capabilities.effective.isEmpty ? "none" : capabilities.effective.count > 30 ? "all" : capabilities.effective.sorted().joined(separator: " "),
          nextStep: canCapture ? nil : "sudo setcap cap_net_raw+ep \(CommandLine.arguments[0]), or run as root"))
      if !capabilities.has("sys_ptrace") || !capabilities.has("dac_read_search") {
        rows.append(
          Diagnosis(
            check: "process names", status: .warn, detail: "sockets of other users in login sessions are known by session only",
            nextStep: "add CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH where that matters"))
      }
    } catch {
      rows.append(Diagnosis(check: "capabilities", status: .warn, detail: "\(error)"))
    }
    let warnings = SocketAttribution().warnings
    rows.append(
      Diagnosis(
        check: "socket owners", status: warnings.isEmpty ? .ok : .warn,
        detail: warnings.isEmpty ? "control groups by sock_diag" : warnings.joined(separator: "; "),
        nextStep: warnings.isEmpty ? nil : "mount cgroup v2; without it owners come from /proc"))
    rows.append(translation())
    do {
      let servers = try ResolverConfiguration.current().nameservers.map(\.description)
      rows.append(Diagnosis(check: "reverse DNS", status: .ok, detail: "asks \(servers.joined(separator: ", "))", nextStep: "--no-reverse-dns switches it off"))
    } catch {
      rows.append(Diagnosis(check: "reverse DNS", status: .warn, detail: "\(error)", nextStep: "name a server in /etc/resolv.conf, or run --no-reverse-dns"))
    }
    return rows
  }

  /// How `run` would find out that a flow is another one once more, behind address translation.
  private static func translation() -> Diagnosis {
    let check = "address translation"
    do {
      _ = try ConnectionTracking()
      return Diagnosis(check: check, status: .ok, detail: "connection tracking is asked: exact")
    } catch {
      return Diagnosis(
        check: check, status: .ok, detail: "told by sequence numbers and contents: \(error)",
        nextStep: "CAP_NET_ADMIN would let connection tracking be asked, for short datagrams whose port changes and for Services of other nodes")
    }
  }

  /// What `run` would watch.
  static func capture() -> [Diagnosis] {
    let capture: Diagnosis
    do {
      let warnings = try PacketSource(interface: WatchedInterface.everyLink).warnings.joined(separator: "; ")
      capture = Diagnosis(
        check: "capture", status: warnings.isEmpty ? .ok : .warn, detail: "every interface can be captured on", nextStep: warnings.isEmpty ? nil : warnings)
    } catch {
      capture = Diagnosis(check: "capture", status: .fail, detail: "\(error)")
    }
    let interfaces = NetworkInterface.all().filter { $0.isUp }
    let uplinks = HostNetwork.uplinks
    let named = interfaces.filter { uplinks.contains($0.name) || $0.addresses.contains { !$0.isLinkLocal } }
    let rows = named.map { interface in
      let kind = interface.isLoopback ? "loopback, of which DNS is read" : uplinks.contains(interface.name) ? "uplink" : "inside"
      return Diagnosis(check: "interface \(interface.name)", status: .ok, detail: ([kind] + interface.addresses.map(\.description)).joined(separator: " "))
    }
    let others = interfaces.count - named.count
    let rest = others == 0 ? [] : [Diagnosis(check: "other interfaces", status: .ok, detail: "\(others) without an address of their own, as links of pods are")]
    return [capture] + rows + rest
  }

  static func database(at path: String) -> [Diagnosis] {
    do throws(StorageError) {
      let reader = try StoreReader(path: path)
      let statistics = try reader.statistics()
      let rows = statistics.rows.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
      let file = Diagnosis(
        check: "database", status: .ok, detail: "\(path): \((statistics.fileBytes + statistics.logBytes) / 1024) KiB, schema \(statistics.schema); \(rows)")
      guard let last = try reader.runs().last else { return [file] }
      return try [file, heartbeat(of: last)] + observed(reader) + waiting(reader)
    } catch {
      if case .missing = error {
        return [Diagnosis(check: "database", status: .warn, detail: "\(error)", nextStep: "egress-obs run --db \(path) makes it")]
      }
      return [Diagnosis(check: "database", status: .fail, detail: "\(error)")]
    }
  }

  private static func heartbeat(of run: Run) -> Diagnosis {
    guard run.description.kind == .live, let beat = run.heartbeat else {
      return Diagnosis(check: "last run", status: .ok, detail: "a \(run.description.kind.rawValue)")
    }
    let interfaces = run.description.interfaces.joined(separator: ", ")
    if let ended = run.ended { return Diagnosis(check: "last run", status: .warn, detail: "ended \(ended) (\(interfaces))", nextStep: "start it: systemctl start egress-obs") }
    let isAlive = WallClock.now.since(beat) <= Coverage.heartbeatLimit
    return Diagnosis(
      check: "last run", status: isAlive ? .ok : .warn, detail: "\(isAlive ? "alive" : "was killed"), last sign of life \(beat) (\(interfaces))",
      nextStep: isAlive ? nil : "see why: journalctl -u egress-obs")
  }

  private static func observed(_ reader: StoreReader) throws(StorageError) -> [Diagnosis] {
    let observations = try Observations(reader, from: nil, until: nil)
    // Counted as the report counts, so that both say the same.
    let coverage = DriftReport(
      endpoints: observations.endpoints, judge: nil, policies: nil, coverage: observations.coverage, isNew: { _, _ in false }
    ).coverage
    func percent(_ part: UInt64, of whole: UInt64) -> String {
      whole == 0 ? "0%" : "\((Double(part) / Double(whole) * 10_000).rounded() / 100)%"
    }
    let total = coverage.packets + coverage.dropped
    return [
      Diagnosis(
        check: "drops", status: coverage.dropped == 0 ? .ok : .warn, detail: "\(coverage.dropped) of \(total) packets (\(percent(coverage.dropped, of: total)))",
        nextStep: coverage.dropped == 0 ? nil : "raise --buffer, and leave the kernel filter on"),
      Diagnosis(
        check: "unnamed", status: .ok,
        detail: "\(percent(coverage.unnamedBytes, of: coverage.externalBytes)) of third-party bytes, \(coverage.unnamedFlows) of \(coverage.externalFlows) flows",
        nextStep: coverage.unnamedFlows == 0 ? nil : "egress-obs report --finding unnamed says why"),
      Diagnosis(check: "gaps", status: coverage.gaps.isEmpty ? .ok : .warn, detail: "\(coverage.gaps.count), \(coverage.restarts) restarts"),
    ]
  }

  private static func waiting(_ reader: StoreReader) throws(StorageError) -> [Diagnosis] {
    let failed = try reader.alerts(.failed).count
    let pending = try reader.alerts(.pending).count
    return [
      Diagnosis(
        check: "alerts", status: failed == 0 ? .ok : .warn, detail: "\(pending) pending, \(failed) given up",
        nextStep: failed == 0 ? nil : "egress-obs alerts list --state failed, then alerts retry")
    ]
  }

  static func declared(_ declared: Declared) -> [Diagnosis] {
    let unknown = declared.policies.notUnderstood
    let inert = declared.policies.notEnforced
    return [
      Diagnosis(check: "policies", status: .ok, detail: "\(declared.policies.count) understood, \(declared.policies.rules.count) egress rules"),
      Diagnosis(
        check: "policies not understood", status: unknown.isEmpty ? .ok : .warn,
        detail: unknown.isEmpty ? "none" : unknown.map(\.description).joined(separator: "; "),
        nextStep: unknown.isEmpty ? nil : "verdicts do not take them into account"),
      Diagnosis(
        check: "policies not enforced", status: inert.isEmpty ? .ok : .warn,
        detail: inert.isEmpty ? "none" : "engine \(declared.policies.engine.rawValue) does not know \(inert.joined(separator: ", "))",
        nextStep: inert.isEmpty ? nil : "verdicts do not take them into account; --engine says whose rules judge"),
      Diagnosis(
        check: "inventory", status: .ok,
        detail: "\(declared.inventory.pods.count) pods, \(declared.inventory.namespaces.count) namespaces, \(declared.inventory.nodes.count) nodes"),
    ]
  }
}

import EgressModel
import FoundationEssentials
import Storage

/// A directory that goes away with its test.
final class Scratch {
  let directory: String

  init() throws {
    let directory = FileManager.default.temporaryDirectory.path + "/storage-test-\(Alert.makeID())"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
    self.directory = directory
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  func path(_ name: String = "egress.db") -> String { directory + "/" + name }
}

/// xorshift64*: the same values for the same seed, everywhere.
struct Seeded: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed | 1 }

  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_f491_4f6c_dd1d
  }
}

let second: Int64 = 1_000_000_000
let minute = 60 * second
let hour = 60 * minute
let day = 24 * hour
/// 2026-11-23T04:00:00Z.
let epoch = Timestamp(seconds: 1_795_406_400)

extension Timestamp {
  func after(_ nanoseconds: Int64) -> Timestamp { adding(nanoseconds: nanoseconds) }
}

let live = RunDescription(kind: .live, node: "node-1", version: "test", interfaces: ["eth0"])

func pod(_ name: String, app: String = "web") -> Workload {
  Workload(
    kind: .pod, namespace: "shop", name: name, uid: "uid-\(name)", owner: Workload.Owner(kind: "Deployment", name: app), node: "node-1")
}

func evidence(_ name: String, _ source: NameSource = .tlsSNI, _ confidence: Confidence = .confirmed) -> NameEvidence {
  NameEvidence(name: DomainName(presentation: name), source: source, confidence: confidence)
}

/// A TLS flow of one second from `shop/web`.
func flow(
  _ id: UInt64, at start: Timestamp = epoch, from workload: Workload? = pod("web-1"), to address: String = "203.0.113.10", port: UInt16? = 443,
  name: NameEvidence? = nil, state: FlowState = .closed, endReason: FlowEndReason? = .endOfFlow
) -> FlowRecord {
  FlowRecord(
    id: id, start: start, end: start.after(second), transport: .tcp, source: SocketAddress(ip: IPAddress(v4: 0x0af4_010b), port: 51_324),
    destination: SocketAddress(ip: IPAddress(address) ?? IPAddress(v4: 0), port: port), out: FlowCounters(packets: 12, bytes: 2310),
    in: FlowCounters(packets: 10, bytes: 48_211), state: state, endReason: endReason, application: .tls, names: name.map { [$0] } ?? [],
    workload: workload)
}

/// Values with every field in every state.
struct Anything {
  var random: Seeded
  init(seed: UInt64) { random = Seeded(seed) }

  mutating func chance(_ one: Int = 2) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }
  mutating func pick<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &random)] }
  mutating func number(_ limit: UInt64 = .max >> 1) -> UInt64 { UInt64.random(in: 0...limit, using: &random) }
  mutating func counters() -> FlowCounters { FlowCounters(packets: chance(20) ? .max >> 1 : number(1 << 40), bytes: number(1 << 50)) }
  mutating func port() -> UInt16? { chance(5) ? nil : UInt16.random(in: 0 ... .max, using: &random) }
  mutating func list<Value>(_ limit: Int, _ make: (inout Anything) -> Value) -> [Value] {
    (0..<Int.random(in: 0...limit, using: &random)).map { _ in make(&self) }
  }

  mutating func address() -> IPAddress {
    chance(3)
      ? IPAddress(high: chance() ? 0x2001_0db8_0000_0000 : number(.max), low: chance() ? number(9) : number(.max))
      : IPAddress(v4: UInt32(truncatingIfNeeded: number()))
  }

  /// Any text a person or a stranger may have chosen.
  mutating func text() -> String {
    pick(["web", "", "a b", "quote\"back\\slash", "line\nbreak", "naïve", "日本", "'; DROP TABLE flows; --", "null", "x\u{0}y", "0123456789abcdefg"])
  }

  /// Names as decoders make them: from octets, whatever those are.
  mutating func name() -> DomainName {
    if chance() {
      return DomainName(presentation: pick(["example.com", "a.example.com", "xn--bcher-kva.example", "*.vendor.com", ".", "s3.amazonaws.com"]))
    }
    let octets = list(30) { UInt8.random(in: 0...255, using: &$0.random) } + (chance(4) ? [0x2e, 0x2e] : [])
    return DomainName(octets: octets) ?? DomainName(presentation: ".")
  }

  mutating func evidence() -> NameEvidence {
    NameEvidence(name: name(), source: pick(NameSource.allCases), confidence: pick(Confidence.allCases), chain: list(3) { $0.name() })
  }

  mutating func workload(depth: Int = 0) -> Workload {
    Workload(
      kind: pick([.pod, .systemd, .container, .process, .address, .ambiguous, Workload.Kind(rawValue: text())]),
      namespace: chance() ? text() : nil, name: text(), uid: chance() ? text() : nil,
      owner: chance() ? Workload.Owner(kind: text(), name: text()) : nil, node: chance() ? text() : nil,
      candidates: depth == 0 ? list(2) { $0.workload(depth: 1) } : [])
  }

  mutating func rule() -> RuleReference { RuleReference(policy: text(), rule: Int.random(in: 0...9, using: &random)) }

  mutating func verdict() -> Verdict {
    Verdict(
      decision: pick(Verdict.Decision.allCases), by: list(2) { $0.rule() }, reason: chance() ? text() : nil,
      nearest: chance() ? rule() : nil, bypass: chance() ? rule() : nil, selectedBy: list(2) { $0.text() },
      would: chance() ? Verdict.Proposal(decision: pick(Verdict.Decision.allCases), by: list(2) { $0.rule() }, reason: chance() ? text() : nil) : nil)
  }

  mutating func vendor() -> Vendor { Vendor(name: text(), category: text(), domain: name(), isManyTenant: chance()) }

  mutating func tls() -> TLSFacts {
    TLSFacts(
      sni: chance() ? name() : nil, alpn: list(3) { $0.text() }, version: chance() ? text() : nil, ja4: chance() ? text() : nil,
      ech: pick([.none, .grease, .outer]))
  }

  mutating func flow(_ id: UInt64) -> FlowRecord {
    let start = Timestamp(nanoseconds: Int64(number(1 << 61)))
    return FlowRecord(
      id: id, start: start, end: start.after(Int64(number(1 << 45))), transport: Transport(rawValue: UInt8.random(in: 0...255, using: &random)),
      source: SocketAddress(ip: address(), port: port()), destination: SocketAddress(ip: address(), port: port()), out: counters(),
      in: counters(), state: pick(FlowState.allCases), endReason: chance(4) ? nil : pick(FlowEndReason.allCases),
      application: chance() ? Application(rawValue: text()) : nil, names: list(3) { $0.evidence() }, tls: chance() ? tls() : nil,
      proxy: chance(4) ? ProxyTarget(kind: .socks5, target: name(), port: port(), innerName: chance(2) ? name() : nil) : nil, encapsulation: list(2) { $0.text() },
      backend: chance(4) ? SocketAddress(ip: address(), port: port()) : nil,
      scope: pick(Scope.allCases), workload: chance(5) ? nil : workload(), vendor: chance() ? vendor() : nil,
      verdict: chance() ? verdict() : nil, findings: list(3) { $0.pick(FindingKind.allCases) })
  }

  mutating func nameRecord() -> NameRecord {
    NameRecord(
      time: Timestamp(nanoseconds: Int64(number(1 << 61))), client: address(), server: address(), name: name(), type: pick(["A", "AAAA", "TYPE65280"]),
      chain: list(3) { $0.name() }, addresses: list(4) { $0.address() }, ttl: chance(4) ? nil : UInt32.random(in: 0 ... .max, using: &random),
      rcode: pick(["NOERROR", "NXDOMAIN", "RCODE3841"]))
  }
}

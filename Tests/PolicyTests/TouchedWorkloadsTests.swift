import EgressModel
import Testing

@testable import Policy

@Suite struct TouchedWorkloadsTests {
  @Test(arguments: RandomPolicies.Dialect.allCases)
  func `a changed policy touches no verdict on workloads that it does not select`(_ dialect: RandomPolicies.Dialect) throws {
    let seed = PropertyTests.seed
    var made = RandomPolicies(dialect, SeededGenerator(state: seed))
    var (touchedOnes, others) = (0, 0)
    for round in 0..<8 {
      var texts = (0..<dialect.count).map { made.text($0) }
      var policies = RandomPolicies.set(texts)
      let before = Judge(policies: policies, inventory: RandomPolicies.inventory)
      let number = made.pick(Array(texts.indices))
      texts[number] = made.flip(4) ? "" : made.text(number)
      let (change, errors) = policies.replace(texts[number], file: RandomPolicies.file(number))
      #expect(errors == [])
      let (after, touched) = before.replacing(policies, change)
      let anew = Judge(policies: RandomPolicies.set(texts), inventory: RandomPolicies.inventory)
      for workload in RandomPolicies.workloads {
        if touched.contains(workload) { touchedOnes += 1 } else { others += 1 }
        for _ in 0..<20 {
          let there = made.destination()
          let verdict = after.judge(workload, there)
          let what: Comment = "seed \(seed) round \(round): \(workload.name) to \(there), change of \(number)\n\(texts.joined(separator: "\n"))"
          try #require(verdict == anew.judge(workload, there), what)
          if !touched.contains(workload) { try #require(verdict == before.judge(workload, there), what) }
        }
      }
    }
    #expect(touchedOnes > 0)
    // What a mesh's registry holds bears on every pod.
    #expect(others > 0 || dialect == .istio)
  }

  @Test func `what policies refer to, and a change of the engine, touch everybody`() {
    let policy = networkPolicy("[]", select: "{matchLabels: {app: web}}")
    var policies = PolicySet()
    #expect(policies.add(policy, file: "p.yaml") == [])
    let judge = Judge(policies: policies, inventory: PolicyTests.inventory(shopInventory))
    let host = Workload(kind: .systemd, name: "nginx.service")

    var narrow = policies
    let removal = narrow.replace("", file: "p.yaml").change
    // The set is empty then, and nothing is said of anybody.
    #expect(judge.replacing(narrow, removal).touched.contains(host))
    narrow = policies
    let second = networkPolicy("[]", name: "q", select: "{matchLabels: {app: cart}}")
    let change = narrow.replace(second, file: "q.yaml").change
    let touched = judge.replacing(narrow, change).touched
    #expect(touched.contains(pod("shop", "cart-1")))
    #expect(!touched.contains(pod("shop", "web-1")))
    #expect(!touched.contains(host))
    #expect(touched.contains(pod("shop", "unheard-of")))
    #expect(touched.contains(Workload(kind: .address, name: "10.244.1.11")))
    #expect(touched.contains(Workload(kind: .ambiguous, name: "x", candidates: [pod("shop", "web-1"), pod("shop", "cart-1")])))

    var cilium = policies
    let flip = cilium.replace("{apiVersion: cilium.io/v2, kind: CiliumCIDRGroup, metadata: {name: g}, spec: {externalCIDRs: [10.0.0.0/8]}}", file: "g.yaml").change
    #expect(judge.replacing(cilium, flip).touched.contains(pod("shop", "web-1")))
  }
}

import EgressModel
import Testing

@testable import Policy

@Suite struct RuleIndexTests {
  @Test(arguments: RandomPolicies.Dialect.allCases)
  func `what is found in the index says what a walk over all rules says, the nearest miss too`(_ dialect: RandomPolicies.Dialect) throws {
    let seed = PropertyTests.seed
    var made = RandomPolicies(dialect, SeededGenerator(state: seed))
    var decisions: [Verdict.Decision: Int] = [:]
    for round in 0..<10 {
      let texts = (0..<dialect.count).map { made.text($0) }
      let policies = RandomPolicies.set(texts)
      let indexed = Judge(policies: policies, inventory: RandomPolicies.inventory)
      let plain = RuleIndex.$isPlain.withValue(true) { Judge(policies: policies, inventory: RandomPolicies.inventory) }
      for _ in 0..<120 {
        let there = made.destination()
        let workload = made.pick(RandomPolicies.workloads)
        let verdict = indexed.judge(workload, there)
        try #require(
          verdict == plain.judge(workload, there), "seed \(seed) round \(round): \(workload.name) to \(there)\n\(texts.joined(separator: "\n"))")
        decisions[verdict.decision, default: 0] += 1
      }
    }
    #expect(decisions[.allowed, default: 0] > 40 && decisions[.denied, default: 0] > 40, "\(decisions)")
  }
}

import EgressModel
import Policy
import Testing

@testable import bench

struct ClusterModelTests {
  @Test(arguments: PolicyModel.Dialect.allCases)
  func `every policy is read without an error, as it was made and as it is changed`(_ dialect: PolicyModel.Dialect) {
    let model = ClusterModel(dialect, policies: 300, pods: 1_000, endpoints: 1_000)
    var (policies, changed) = (PolicySet(), PolicySet())
    for policy in model.policies {
      #expect(policies.add(policy.text(dialect), file: policy.file(dialect)) == [])
      #expect(changed.add(policy.changed.text(dialect), file: policy.file(dialect)) == [])
    }
    #expect(policies.count == (dialect == .egressFirewall ? 100 : 300))
    #expect(policies.notUnderstood.isEmpty)
    #expect(changed.rules.count > policies.rules.count || dialect == .istio)
  }

  @Test func `the same figures make the same cluster`() {
    let (first, second) = (ClusterModel(.cilium, policies: 200, pods: 1_000, endpoints: 2_000), ClusterModel(.cilium, policies: 200, pods: 1_000, endpoints: 2_000))
    #expect(first.policies.map { $0.text(.cilium) } == second.policies.map { $0.text(.cilium) })
    #expect(first.endpoints.map(\.destination) == second.endpoints.map(\.destination))
    #expect(Set(first.endpoints.map { "\($0.workload.group) \($0.destination)" }).count == 2_000)
  }
}

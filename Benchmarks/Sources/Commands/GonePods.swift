import ArgumentParser
import EgressModel

struct GonePods: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell a PodTimeline of pods that come and go, and print by how much the process grew for each that is gone, as a row of a Markdown table.")

  @Option(help: "Pods, all of them gone in the end.") var pods = 20_000
  @Option(help: "Addresses that they take in turn.") var addresses = 64

  func validate() throws {
    guard pods > 0, addresses > 0 else { throw ValidationError("--pods and --addresses are positive.") }
  }

  func run() throws {
    let before = try residentMemory()
    var timeline = PodTimeline()
    // As in the daemon, where whoever annotates holds the pods of a moment ago.
    var held = timeline
    for number in 0..<pods {
      let time = Timestamp(seconds: 1_790_000_000 + Int64(number) / 10, nanoseconds: 0)
      timeline.note(pod(number), since: time, at: time)
      timeline.remove(pod(number), at: time)
      held = timeline
    }
    let after = try residentMemory()
    guard held.pod(uid: Self.uid(pods - 1)) != nil else { throw ValidationError("the pods are not remembered: this measures nothing.") }
    print("| \(pods) | \((after - before) / pods) |")
  }

  private static func uid(_ number: Int) -> String { "8d3c9c1e-0000-4000-8000-\(100_000_000_000 + number)" }

  private func pod(_ number: Int) -> Pod {
    Pod(
      namespace: "churn-\(number % 16)", name: "batch-6f7c9d8b5-\(10_000 + number)", uid: Self.uid(number),
      labels: ["app": "batch", "tier": "worker", "pod-template-hash": "6f7c9d8b5"], addresses: [IPAddress(v4: 0x0a00_0001 + UInt32(number % addresses))],
      ports: [Pod.Port(name: "http", number: 8080, transport: .tcp)], node: "node-1", serviceAccount: "default",
      owner: Workload.Owner(kind: "Deployment", name: "batch"))
  }
}

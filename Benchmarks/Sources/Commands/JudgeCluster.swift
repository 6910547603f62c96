import ArgumentParser
import EgressModel
import Foundation
import Policy

struct JudgeCluster: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "judge",
    abstract: "Judge the endpoints of a big cluster by policies of one dialect, and print the times and the peak of memory as a row of a Markdown table.")

  @Argument(help: "Whose policies.") var dialect: PolicyModel.Dialect
  @Option(help: "How many (egressfirewall: their rules in one object for each of 100 namespaces).") var policies = 10_000
  @Option(help: "Pods, of 1000 apps in 100 namespaces.") var pods = 5_000
  @Option(help: "Distinct endpoints.") var endpoints = 200_000

  func validate() throws {
    guard policies > 0, pods >= 1_000, endpoints >= 1_000 else {
      throw ValidationError("--policies is positive, --pods and --endpoints at least 1000: one for each app.")
    }
  }

  func run() throws {
    let model = ClusterModel(dialect, policies: policies, pods: pods, endpoints: endpoints)
    let texts = model.policies.map { (text: $0.text(dialect), file: $0.file(dialect)) }
    var set = PolicySet(engine: dialect == .calico ? .calico : .auto)
    let reading = try cpuTime {
      for (text, file) in texts + (model.preamble.map { [($0, "preamble.yaml")] } ?? []) {
        if let error = set.add(text, file: file).first { throw ValidationError("\(error)\n\(text)") }
      }
    }
    var judge = Judge(policies: PolicySet(), inventory: Inventory())
    let indexing = cpuTime { judge = Judge(policies: set, inventory: model.inventory) }
    var verdicts: [Verdict] = []
    verdicts.reserveCapacity(model.endpoints.count)
    let judging = cpuTime { for (workload, destination) in model.endpoints { verdicts.append(judge.judge(workload, destination)) } }
    let again = try rejudge(model, &set, judge)
    let counts = Verdict.Decision.allCases.map { decision in "\(verdicts.count { $0.decision == decision }) \(decision.rawValue)" }
    let columns = [
      dialect.rawValue, "\(set.count)", seconds(reading), seconds(indexing), seconds(judging), "\(Int(Double(verdicts.count) / judging * 1e9))",
      "\(try peakResidentMemory() >> 20)", again, counts.joined(separator: ", "),
    ]
    print("| \(columns.joined(separator: " | ")) |")
  }

  /// What it takes to have every verdict right again when the first policy has got one rule more.
  private func rejudge(_ model: ClusterModel, _ set: inout PolicySet, _ judge: Judge) throws -> String {
    guard let policy = model.policies.first, !PolicySet.isUnitFile(policy.file(dialect)) else { return "" }
    let text = policy.changed.text(dialect)
    var rejudged = 0
    let time = try cpuTime {
      let (change, errors) = set.replace(text, file: policy.file(dialect))
      if let error = errors.first { throw ValidationError("\(error)\n\(text)") }
      let (new, touched) = judge.replacing(set, change)
      for (workload, destination) in model.endpoints where touched.contains(workload) {
        _ = new.judge(workload, destination)
        rejudged += 1
      }
    }
    return "\(seconds(time)) (\(rejudged))"
  }

  private func seconds(_ nanoseconds: Double) -> String { String(format: "%.2f", nanoseconds / 1e9) }
}

extension PolicyModel.Dialect: ExpressibleByArgument {}

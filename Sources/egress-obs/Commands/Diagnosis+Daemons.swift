import AsyncHTTPClient
import EgressModel
import Host
import NIOCore
import Reporting

extension Diagnosis {
  /// What the daemons that run here take, and how full their tables are where they serve metrics.
  static func daemons() async -> [Diagnosis] {
    var rows: [Diagnosis] = []
    for pid in ProcessUsage.running("egress-obs", with: "run") {
      guard let usage = try? ProcessUsage.of(pid) else { continue }
      let age = max(1, Double(WallClock.now.nanoseconds) / 1e9 - usage.startSeconds)
      let share = (usage.cpuSeconds / age * 1000).rounded() / 10
      let rights = (try? Capabilities.of(pid))?.permitted.sorted().joined(separator: " ") ?? ""
      rows.append(
        Diagnosis(
          check: "daemon \(pid)", status: .ok,
          detail: "\(usage.residentBytes >> 20) MiB resident, \((usage.cpuSeconds * 10).rounded() / 10) CPU s in \(TimeSpan.seconds(Int64(age))) (\(share)% of one core)\(rights.isEmpty ? "" : "; rights: \(rights)")"))
      if let address = ProcessUsage.argument("--metrics", of: pid) { rows.append(await tables(of: pid, at: address)) }
    }
    return rows
  }

  private static func tables(of pid: Int32, at address: String) async -> Diagnosis {
    let check = "tables \(pid)"
    do {
      let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: "http://\(address)/metrics"), timeout: .seconds(2))
      let page = String(buffer: try await response.body.collect(upTo: 1 << 20))
      func value(_ name: String) -> String { page.split(separator: "\n").first { $0.hasPrefix(name + " ") }.map { String($0.dropFirst(name.count + 1)) } ?? "?" }
      func mebibytes(_ name: String) -> String { UInt64(value(name)).map { "\(($0 + 1 << 19) >> 20) MiB" } ?? "?" }
      return Diagnosis(
        check: check, status: .ok,
        detail: """
          \(value("egress_obs_flows_live")) flows, \(value("egress_obs_names_known")) names (\(mebibytes("egress_obs_names_bytes"))), \
          \(mebibytes("egress_obs_reassembly_bytes")) of streams, \(value("egress_obs_records_waiting")) records waiting
          """)
    } catch {
      return Diagnosis(check: check, status: .warn, detail: "http://\(address)/metrics cannot be read: \(error)")
    }
  }
}

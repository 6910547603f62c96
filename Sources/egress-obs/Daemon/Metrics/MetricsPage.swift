import Capture
import EgressModel
import Flows
import FoundationEssentials
import Host
import Kubernetes
import Reporting

/// What `/metrics` says.
struct MetricsPage: Sendable {
  let counters: DaemonCounters
  let meter: SharedMeter
  let cluster: ClusterWatch?
  let database: String

  var text: String {
    let state = counters.now
    return (own(state) + capture() + tables() + work(state) + clusterFamilies() + process()).metricsText
  }

  private func own(_ state: DaemonCounters.State) -> [MetricFamily] {
    [
      MetricFamily("egress_obs_build_info", help: "The version.", kind: .gauge, samples: [.init(1, ["version": EgressObs.version])]),
      MetricFamily(
        "egress_obs_flows_total", help: "Egress flows recorded, by the workload's namespace, the policies' verdict and what named the destination.",
        samples: state.flows.sorted { $0.key < $1.key }.map {
          .init($0.value, ["namespace": $0.key.namespace, "verdict": $0.key.verdict, "name_source": $0.key.nameSource])
        }),
      MetricFamily(
        "egress_obs_findings_total", help: "Flows with a finding.",
        samples: state.findings.sorted { $0.key.rawValue < $1.key.rawValue }.map { .init($0.value, ["finding": $0.key.rawValue]) }),
      MetricFamily(
        "egress_obs_alerts_sent_total", help: "Attempts to deliver an alert.",
        samples: state.alerts.sorted { $0.key < $1.key }.map { .init($0.value, ["hook": $0.key.hook, "result": $0.key.result]) }),
    ]
  }

  private func capture() -> [MetricFamily] {
    let statistics = meter.statistics
    return [
      MetricFamily("egress_obs_packets_total", help: "Frames read.", samples: [.init(statistics.delivered)]),
      MetricFamily(
        "egress_obs_packets_dropped_total", help: "Frames lost before they were read, by who lost them.",
        samples: [.init(statistics.droppedByKernel, ["by": "kernel"]), .init(statistics.droppedByInterface, ["by": "interface"])]),
    ]
  }

  private func tables() -> [MetricFamily] {
    let counters = meter.withMeter { $0.counters }
    return [
      MetricFamily("egress_obs_packet_copies_total", help: "Packets seen once more on another interface, and not counted again.", samples: [.init(counters.copies)]),
      MetricFamily("egress_obs_packets_undecoded_total", help: "IP packets not decoded, by why.", tally: counters.undecoded, label: "reason"),
      MetricFamily("egress_obs_flows_translated_total", help: "Flows seen once more with translated addresses, and not recorded again.", samples: [.init(counters.flowsTranslated)]),
      MetricFamily("egress_obs_flows_live", help: "Flows in the table.", kind: .gauge, samples: [.init(UInt64(counters.flowsLive))]),
      MetricFamily("egress_obs_flows_evicted_total", help: "Flows that ended to make room, by what they were.", tally: counters.flowsEvicted, label: "state"),
      MetricFamily("egress_obs_names_known", help: "Pairs of client and address with a name.", kind: .gauge, samples: [.init(UInt64(counters.namesKnown))]),
      MetricFamily("egress_obs_names_bytes", help: "Memory of these names.", kind: .gauge, samples: [.init(UInt64(counters.nameBytes))]),
      MetricFamily("egress_obs_names_evicted_total", help: "Pairs forgotten to make room.", samples: [.init(counters.namesEvicted)]),
      MetricFamily("egress_obs_reassembly_bytes", help: "Memory of streams being put together.", kind: .gauge, samples: [.init(UInt64(counters.reassemblyBytes))]),
      MetricFamily("egress_obs_streams_abandoned_total", help: "Streams given up before they named their flow, by why.", tally: counters.streamsAbandoned, label: "reason"),
      MetricFamily("egress_obs_dns_messages_total", help: "DNS messages, by what became of them.", tally: counters.dns, label: "outcome"),
    ]
  }

  private func work(_ state: DaemonCounters.State) -> [MetricFamily] {
    [
      MetricFamily("egress_obs_records_waiting", help: "Flow records in memory that are not written yet.", kind: .gauge, samples: [.init(UInt64(state.waiting))]),
      MetricFamily("egress_obs_records_lost_total", help: "Flow records lost because the database could not be written.", samples: [.init(state.lost)]),
      MetricFamily("egress_obs_database_bytes", help: "The database with its log.", kind: .gauge, samples: [.init(Self.size(of: database) + Self.size(of: database + "-wal"))]),
    ]
  }

  private func clusterFamilies() -> [MetricFamily] {
    guard let resources = cluster?.snapshot.resources else { return [] }
    return [
      MetricFamily(
        "egress_obs_kubernetes_up", help: "Whether a kind of object is read from the API without trouble.", kind: .gauge,
        samples: resources.map { .init($0.isListed && $0.error == nil ? 1 : 0, ["resource": "\($0.resource)"]) }),
      MetricFamily(
        "egress_obs_kubernetes_objects", help: "Objects known, by kind.", kind: .gauge,
        samples: resources.map { .init(UInt64($0.objects), ["resource": "\($0.resource)"]) }),
    ]
  }

  /// As every exporter names them.
  private func process() -> [MetricFamily] {
    guard let usage = try? ProcessUsage.current() else { return [] }
    return [
      MetricFamily("process_cpu_seconds_total", help: "CPU time, user and system.", samples: [.init(real: usage.cpuSeconds)]),
      MetricFamily("process_resident_memory_bytes", help: "Resident memory.", kind: .gauge, samples: [.init(usage.residentBytes)]),
      MetricFamily("process_start_time_seconds", help: "Start, in seconds since 1970.", kind: .gauge, samples: [.init(real: usage.startSeconds)]),
    ]
  }

  private static func size(of path: String) -> UInt64 {
    ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? any BinaryInteger).map { UInt64($0) } ?? 0
  }
}

extension MetricFamily {
  /// One sample for each case, zeros included, so that a rate can be told from the first on.
  fileprivate init<Key>(_ name: String, help: String, tally: Tally<Key>, label: String) {
    self.init(name, help: help, samples: tally.all.map { Sample($0.count, labels: [(label, "\($0.key)".snakeCased)]) })
  }
}

extension String {
  /// `notIP` → `not_ip`, `truncatedTransport` → `truncated_transport`.
  var snakeCased: String {
    var text = ""
    var wasLower = false
    for character in self {
      if character.isUppercase, wasLower { text += "_" }
      wasLower = !character.isUppercase
      text += character.lowercased()
    }
    return text
  }
}

/// One metric with its samples, in Prometheus' [text format](https://prometheus.io/docs/instrumenting/exposition_formats/).
public struct MetricFamily: Sendable {
  public enum Kind: String, Sendable {
    case counter
    case gauge
  }

  public struct Sample: Sendable {
    /// In the order to show. Names of destinations are no labels: strangers would choose how many series there are.
    public var labels: [(name: String, value: String)]
    /// As the format writes it.
    public var value: String

    public init(_ value: UInt64, _ labels: KeyValuePairs<String, String> = [:]) {
      self.init(value, labels: labels.map { ($0, $1) })
    }

    public init(_ value: UInt64, labels: [(name: String, value: String)]) {
      self.labels = labels
      self.value = "\(value)"
    }

    public init(real value: Double) {
      labels = []
      self.value = "\(value)"
    }
  }

  /// `egress_obs_flows_total`: letters, digits and `_`.
  public var name: String
  public var help: String
  public var kind: Kind
  public var samples: [Sample]

  public init(_ name: String, help: String, kind: Kind = .counter, samples: [Sample]) {
    self.name = name
    self.help = help
    self.kind = kind
    self.samples = samples
  }

  /// The family's lines.
  public var text: String {
    var text = "# HELP \(name) \(Escaping.prometheusHelp(help))\n# TYPE \(name) \(kind.rawValue)\n"
    for sample in samples {
      let labels = sample.labels.map { "\($0.name)=\"\(Escaping.prometheusLabel($0.value))\"" }.joined(separator: ",")
      text += labels.isEmpty ? name : "\(name){\(labels)}"
      text += " \(sample.value)\n"
    }
    return text
  }
}

extension Sequence where Element == MetricFamily {
  /// A whole page of metrics.
  public var metricsText: String { map(\.text).joined() }
}

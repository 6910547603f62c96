import EgressModel

/// Our own kind: `egress-obs.dev/v1` EgressPolicy, for hosts and for clusters whose network plugin knows no names.
///
/// Nothing enforces it; it says what is expected, and the observer reports what differs.
///
/// ```yaml
/// apiVersion: egress-obs.dev/v1
/// kind: EgressPolicy
/// metadata: {name: checkout, namespace: shop}   # without a namespace: the whole cluster, or hosts
/// spec:
///   select:                                     # exactly one of pods and hosts
///     pods:
///       namespaces: [shop, "shop-*"]            # names or globs; only without metadata.namespace; absent = every namespace
///       podSelector: {matchLabels: {app: checkout}}
///     hosts:
///       units: [nginx.service, "app-*.service"] # systemd units, names or globs
///       containers: ["worker-*"]                # containers that are no pod's; at least one of both lists
///       nodes: [node-1]                         # names or globs; absent = every node
///   allow:                                      # absent or empty: nothing is allowed
///   - names: [api.stripe.com, "*.datadoghq.com", "**.example.net"]
///     ports: [443, "8000-8100"]                 # absent = every port
///     transports: [tcp, udp]                    # tcp udp sctp icmp any
///     note: payments and telemetry              # shown in reports
///   - cidrs: [10.0.0.0/8, "2001:db8::/32"]
///     except: [10.1.0.0/16]                     # taken away from the cidrs of this rule only
/// ```
///
/// Every selected workload is denied what no rule of any policy that selects it allows; there is no order. A rule allows a
/// destination that has one of its `names` **or** lies in one of its `cidrs` (neither given: any destination) **and** whose port
/// and transport fit.
///
/// - `*` at the front stands for exactly one label, `**` for one or more; neither matches the bare domain. Case and a trailing
///   dot do not matter.
///   `*` alone matches names of one label and `**` every name.
/// - Pods on the host network are selected like others, since their sockets can be told apart.
/// - The address that is judged is the one the workload dialled (a Service's, not its backend's).
/// - `transports` absent: with `ports`, tcp, udp and sctp; without, everything. `icmp` covers ICMPv6.
///
/// Which names count: what was said in the connection (`confirmed`) decides alone where there is such a name, and then *every* name
/// that was said must be allowed, each by some rule. An address that is shared with an allowed name opens nothing. With no confirmed
/// name, any name that this workload looked up (`resolved`, `shared`) may satisfy a rule. A `hint` never does, nor does a canonical
/// name (CNAME) that nobody asked for.
/// A destination that nothing names satisfies no rule with names.
struct EgressPolicy: PolicyObject {
  enum Selection: Sendable {
    /// `namespaces`: names or globs; nil = every one.
    case pods(namespaces: [Glob]?, LabelSelector)
    case hosts(units: [Glob], containers: [Glob], nodes: [Glob]?)
  }

  struct Rule: Sendable {
    var names: [NamePattern] = []
    var cidrs: [IPPrefix] = []
    var except: [IPPrefix] = []
    /// Empty: every port.
    var ports: [ClosedRange<UInt16>] = []
    /// Empty: every transport.
    var transports: [Transport] = []
    var note: String?
    var line: Int

    var allowsAnyDestination: Bool { names.isEmpty && cidrs.isEmpty }
  }

  var name: ObjectName
  var selection: Selection
  var allow: [Rule]
  var file: String
  var document: Int
  var line: Int
}

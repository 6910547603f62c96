import ArgumentParser
import Host
import Kubernetes

/// `--kubernetes` and what goes with it.
struct KubernetesOptions: ParsableArguments {
  enum Source: Hashable, Sendable {
    case off
    /// The API where we are a pod that may ask it, else off.
    case auto
    case inCluster
    /// Nil: as kubectl finds it.
    case kubeconfig(path: String?)
  }

  @Option(
    help: ArgumentHelp(
      "Where the cluster's API is: off, auto (in a pod its service account, else off), in-cluster, kubeconfig or kubeconfig=PATH. Read only.", valueName: "source"),
    transform: { text in
      switch text {
      case "off": return .off
      case "auto": return .auto
      case "in-cluster": return .inCluster
      case "kubeconfig": return .kubeconfig(path: nil)
      case _ where text.hasPrefix("kubeconfig=") && text.count > 11: return .kubeconfig(path: String(text.dropFirst(11)))
      default: throw ValidationError("\(text) is none of off, auto, in-cluster, kubeconfig, kubeconfig=PATH")
      }
    })
  var kubernetes: Source = .auto
  @Option(help: ArgumentHelp("The kubeconfig's context; without it the current one.", valueName: "name"))
  var context: String?

  /// Nil where no cluster is asked.
  func client() throws -> APIClient? {
    try Trouble.naming {
      switch kubernetes {
      case .off: nil
      case .auto: ClusterAccess.isInCluster ? APIClient(try .inCluster()) : nil
      case .inCluster: APIClient(try .inCluster())
      case .kubeconfig(let path): APIClient(try .kubeconfig(path, context: context))
      }
    }
  }

  /// This node's pods, and what of the cluster is everybody's.
  func watch() throws -> ClusterWatch? {
    try client().map { ClusterWatch($0, scope: .init(node: HostNetwork.nodeName)) { WallClock.now } }
  }
}

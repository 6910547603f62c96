import EgressModel
import Foundation

@testable import Kubernetes

/// Objects as the API server writes them, with much that nobody reads.
enum Fixture {
  static func pod(
    _ name: String, uid: String? = nil, ip: String? = "10.244.1.7", version: Int = 5, phase: String = "Running", owner: (String, String)? = nil,
    labels: String = #"{"app":"web"}"#, hostNetwork: Bool = false, started: String = "2026-03-02T09:00:00Z"
  ) -> String {
    let references = owner.map { #","ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"x"},{"apiVersion":"apps/v1","kind":"\#($0.0)","name":"\#($0.1)","controller":true}]"# } ?? ""
    let addresses = ip.map { #","podIP":"\#($0)","podIPs":[{"ip":"\#($0)"},{"ip":"fd00:1::\#(version)"}]"# } ?? ""
    return #"""
      {"metadata":{"name":"\#(name)","namespace":"shop","uid":"\#(uid ?? name)","resourceVersion":"\#(version)","labels":\#(labels),\#
      "annotations":{"note":"brackets ]}, \"quotes\" and \\ in a string"},"managedFields":[{"fieldsV1":{"f:metadata":{"f:labels":{".":{}}}}}]\#(references)},\#
      "spec":{"nodeName":"node-1","hostNetwork":\#(hostNetwork),"containers":[{"name":"app","ports":[{"name":"http","containerPort":8080},{"containerPort":53,"protocol":"UDP"}]}],\#
      "initContainers":[{"ports":[{"containerPort":1}]},{"restartPolicy":"Always","ports":[{"name":"mesh","containerPort":15001}]}]},\#
      "status":{"phase":"\#(phase)","startTime":"\#(started)"\#(addresses),"conditions":[{"type":"Ready","status":"True"}]}}
      """#
  }

  static func policy(_ name: String, version: Int = 9) -> String {
    #"{"metadata":{"name":"\#(name)","namespace":"shop","resourceVersion":"\#(version)","labels":{"team":"a"},"managedFields":[{}]},"spec":{"podSelector":{},"policyTypes":["Egress"],"egress":[{"to":[{"ipBlock":{"cidr":"203.0.113.0/24"}}]}]},"status":{}}"#
  }

  static func list(_ kind: String, version: Int = 10, continuation: String? = nil, _ items: [String]) -> String {
    let more = continuation.map { #","continue":"\#($0)","remainingItemCount":1"# } ?? ""
    return #"{"kind":"\#(kind)List","apiVersion":"v1","metadata":{"resourceVersion":"\#(version)"\#(more)},"items":[\#(items.joined(separator: ","))]}"#
  }

  static func event(_ type: String, _ object: String) -> String { #"{"type":"\#(type)","object":\#(object)}"# + "\n" }

  static func bookmark(_ version: Int) -> String {
    event("BOOKMARK", #"{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"\#(version)"}}"#)
  }

  static func failure(_ code: Int, _ reason: String, _ message: String) -> String {
    #"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"\#(message)","reason":"\#(reason)","code":\#(code)}"#
  }

  static func groups(_ groups: [(String, String)]) -> String {
    let items = groups.map { #"{"name":"\#($0)","versions":[{"groupVersion":"\#($0)/\#($1)","version":"\#($1)"}],"preferredVersion":{"groupVersion":"\#($0)/\#($1)","version":"\#($1)"}}"# }
    return #"{"kind":"APIGroupList","apiVersion":"v1","groups":[\#(items.joined(separator: ","))]}"#
  }

  static func resources(_ resources: [(String, String)]) -> String {
    let items = resources.map { #"{"name":"\#($0)","singularName":"","namespaced":true,"kind":"\#($1)","verbs":["get","list","watch"]}"# }
    return #"{"kind":"APIResourceList","groupVersion":"x","resources":[\#(items.joined(separator: ",")),{"name":"status","kind":"X","verbs":["get"]}]}"#
  }

  /// What an empty cluster answers to everything.
  static func empty(_ request: TestAPIServer.Request) -> TestAPIServer.Answer {
    if request.path == "/apis" { return .init(groups([("networking.k8s.io", "v1")])) }
    if request.path == "/apis/networking.k8s.io/v1" { return .init(resources([("networkpolicies", "NetworkPolicy")])) }
    if request.value("watch") != nil { return .init("", ending: .hang) }
    return .init(list("Thing", []))
  }

  static func moment(_ text: String) -> Timestamp { Timestamp(text) ?? Timestamp(nanoseconds: 0) }
}

extension TestAPIServer {
  func access(_ identity: ClusterAccess.Identity = .token("secret")) -> ClusterAccess {
    ClusterAccess(server: server, trust: .pem(Array(authority.utf8)), identity: identity, origin: "test")
  }
}

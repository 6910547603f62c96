import EgressModel
import Policy
import Testing

@Suite struct FlowQueryTests {
  @Test func `every line that is not blank is a flow`() throws {
    let text = """
      {"id":"f1","from":"shop/cart-1","to":{"ip":"203.0.113.10","port":443,"name":"API.example.net."},"protocol":"tcp"}

      {"id": "f2", "from": "systemd/nginx.service", "to": {"ip": "2001:db8::1", "port": 0}, "protocol": "icmp", "more": [1]}\r
      """
    let (queries, errors) = FlowQuery.read(text, file: "flows.ndjson")
    #expect(errors == [])
    #expect(queries.map(\.id) == ["f1", "f2"])
    let first = try #require(queries.first)
    #expect(first.from == pod("shop", "cart-1"))
    #expect(first.destination.address.description == "203.0.113.10" && first.destination.port == 443 && first.destination.transport == .tcp)
    #expect(first.destination.names.map(\.name.text) == ["api.example.net"])
    #expect(first.destination.names.map(\.confidence) == [.confirmed])
    let second = try #require(queries.last)
    #expect(second.from == Workload(kind: .systemd, name: "nginx.service"))
    #expect(second.destination.port == nil && second.destination.transport == .icmpv6)
  }

  @Test(arguments: [
    ("shop/web", "shop/pod/web"), ("shop/Deployment/web", "shop/Deployment/web"), ("pod/systemd/web", "systemd/pod/web"), ("systemd/a.service", "systemd/a.service"),
    ("container/db", "container/db"), ("process/curl", "process/curl"), ("10.0.0.7", "address/10.0.0.7"), ("address/2001:DB8::7", "address/2001:db8::7"),
  ])
  func `from names any kind of workload`(_ from: String, _ group: String) throws {
    let (queries, _) = FlowQuery.read(#"{"id":"1","from":"\#(from)","to":{"ip":"192.0.2.1","port":1},"protocol":"udp"}"#, file: "f")
    #expect(try #require(queries.first).from.group == group)
  }

  @Test(arguments: [
    ("nonsense", "it is not JSON: an unknown word begins here"), ("web", "it is not JSON: a value is missing or unknown"), ("[]", "an object is expected, not a list"), ("{}", "id: it is missing"),
    (#"{"id":5}"#, "id: a string is expected, not the number 5"), (#"{"id":"1"}"#, "from: it is missing"),
    (#"{"id":"1","from":"web"}"#, #"from: "web" is no workload; write namespace/pod, systemd/unit, container/name or an address"#),
    (#"{"id":"1","from":"a/b/c/d"}"#, #"from: "a/b/c/d" is no workload; write namespace/pod, systemd/unit, container/name or an address"#),
    (#"{"id":"1","from":"a/b"}"#, "to: it is missing"), (#"{"id":"1","from":"a/b","to":"x"}"#, #"to: an object is expected, not the string "x""#),
    (#"{"id":"1","from":"a/b","to":{}}"#, "to.ip: it is missing"), (#"{"id":"1","from":"a/b","to":{"ip":"x"}}"#, #"to.ip: "x" is no address"#),
    (#"{"id":"1","from":"a/b","to":{"ip":"192.0.2.1"}}"#, "protocol: it is missing"),
    (#"{"id":"1","from":"a/b","to":{"ip":"192.0.2.1"},"protocol":"quic"}"#, #"protocol: "quic" is none of tcp, udp, sctp, icmp, icmpv6 and no protocol number"#),
    (#"{"id":"1","from":"a/b","to":{"ip":"192.0.2.1"},"protocol":"tcp"}"#, "to.port: it is missing, and tcp has ports"),
    (#"{"id":"1","from":"a/b","to":{"ip":"192.0.2.1","port":65536},"protocol":"tcp"}"#, "to.port: a number from 0 to 65535 is expected, not the number 65536"),
    (#"{"id":"1","from":"a/b","to":{"ip":"192.0.2.1","port":1,"name":""},"protocol":"tcp"}"#, "to.name: it is empty"),
  ])
  func `a line that cannot be read is told with its number and field, and the others are read`(_ line: String, _ message: String) {
    let good = #"{"id":"1","from":"a/b","to":{"ip":"192.0.2.1","port":1},"protocol":"6"}"#
    let (queries, errors) = FlowQuery.read("\(good)\n\(line)\n\(good)\n", file: "flows.ndjson")
    #expect(queries.count == 2)
    #expect(errors.map(\.description) == ["flows.ndjson:2: \(message)"])
  }
}

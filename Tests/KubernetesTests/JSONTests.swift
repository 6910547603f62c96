import EgressModel
import Testing

@testable import Kubernetes

@Suite struct JSONTests {
  private static let example = Fixture.list("Pod", version: 716, continuation: "abc==", [Fixture.pod("a"), Fixture.pod("b", ip: nil)])

  @Test func `a list comes apart the same wherever it is cut`() throws {
    let bytes = Array(Self.example.utf8)
    for cut in 0...bytes.count {
      var splitter = ListSplitter()
      var items: [[UInt8]] = []
      try splitter.take(bytes[..<cut]) { items.append($0) }
      #expect(splitter.isComplete == (cut == bytes.count))
      try splitter.take(bytes[cut...]) { items.append($0) }
      #expect(splitter.isComplete)
      #expect(items == [Fixture.pod("a"), Fixture.pod("b", ip: nil)].map { Array($0.utf8) })
      var metadata = JSONCursor(splitter.metadata)
      let read = try ObjectMetadata(&metadata)
      #expect(read.resourceVersion == "716" && read.continuation == "abc==")
    }
  }

  @Test(arguments: [
    (#"{"items":[{"a":1},{"b":[{}]}],"metadata":{"resourceVersion":"1"},"other":{"items":[{}]}}"#, 2), (#"{ "items" : [ ] , "metadata" : { } }"#, 0),
    (#"{"metadata":{"items":[{}]},"items":null}"#, 0), (#"{"x":"items","y":["metadata"],"items":[{"metadata":{"items":[{}]}}]}"#, 1),
  ])
  func `only the list's own items are items`(text: String, count: Int) throws {
    var splitter = ListSplitter()
    var items = 0
    try splitter.take(text.utf8) { _ in items += 1 }
    #expect(items == count && splitter.isComplete)
  }

  @Test(arguments: ["<html>502</html>", "404 page not found", "[]", "{}{}", "null"])
  func `what is no list is refused`(text: String) {
    #expect(throws: ListSplitter.Failure.self) {
      var splitter = ListSplitter()
      try splitter.take(text.utf8) { _ in }
    }
  }

  @Test func `an item without end is refused at the bound`() {
    var splitter = ListSplitter()
    #expect(throws: ListSplitter.Failure.tooLarge) {
      try splitter.take(#"{"items":[{"a":""#.utf8) { _ in }
      let filler = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
      for _ in 0..<9 { try splitter.take(filler) { _ in } }
    }
    var lines = LineSplitter()
    #expect(throws: ListSplitter.Failure.tooLarge) {
      let filler = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
      for _ in 0..<9 { try lines.take(filler) { _ in } }
    }
  }

  @Test func `values are read, and what nobody asks for is stepped over`() throws {
    var cursor = JSONCursor(Array(#" {"a":{"deep":[1,{"b":"]}\"\\"}]},"s":"x\u00e9\ud83d\ude00\n\/","n":-12,"t":true,"z":null,"list":["p",7]} "#.utf8))
    var seen: [String] = []
    try cursor.members { cursor, key in
      switch key {
      case "s": seen.append(try cursor.string() ?? "nil")
      case "n": seen.append("\(try cursor.integer() ?? 0)")
      case "t": seen.append("\(try cursor.boolean() ?? false)")
      case "z": seen.append(try cursor.string() ?? "nil")
      case "list": try cursor.elements { cursor in seen.append(try cursor.scalar() ?? "nil") }
      default: break
      }
    }
    #expect(seen == ["xé😀\n/", "-12", "true", "nil", "p", "7"])
    #expect(try cursor.isAtEnd())
  }

  @Test func `no prefix and no single broken byte of an object traps`() {
    let bytes = Array(Fixture.pod("a").utf8)
    for end in 0..<bytes.count { #expect(throws: (any Error).self) { try ClusterObject(Array(bytes[..<end]), of: .pods) } }
    for place in bytes.indices {
      for byte in [UInt8(0), 0x22, 0x5c, 0x7b, 0x7d, 0x5d, 0x2c, 0xff] {
        var broken = bytes
        broken[place] = byte
        _ = try? ClusterObject(broken, of: .pods)
        _ = try? ClusterObject(broken, of: Resource(group: "networking.k8s.io", version: "v1", plural: "networkpolicies", kind: "NetworkPolicy"))
      }
    }
  }

  @Test func `nesting is bounded`() {
    let deep = Array((String(repeating: "[", count: 200) + String(repeating: "]", count: 200)).utf8)
    #expect(throws: JSONCursor.Failure.self) {
      var cursor = JSONCursor(deep)
      try cursor.skip()
    }
  }
}

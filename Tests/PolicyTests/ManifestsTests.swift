import Policy
import Testing

@Suite struct ManifestsTests {
  @Test func `documents, lists and typed lists give the same objects`() {
    let yaml = """
      # a comment
      ---
      apiVersion: v1
      kind: Pod
      metadata: {name: a}
      ---
      ---
      # only a comment
      ---
      kind: List
      apiVersion: v1
      items:
      - apiVersion: v1
        kind: Pod
        metadata: {name: b}
      - apiVersion: v1
        kind: PodList
        items:
        - metadata: {name: c, namespace: x}
      ...
      {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "d"}}
      """
    let manifests = Manifests.read(yaml, file: "f")
    #expect(manifests.errors == [])
    #expect(manifests.objects.map(\.name) == ["a", "b", "c", "d"])
    #expect(manifests.objects.map(\.kind) == ["Pod", "Pod", "Pod", "Pod"])
    #expect(manifests.objects.map(\.document) == [1, 2, 2, 3])
    #expect(manifests.objects.map(\.line) == [3, 13, 19, 21])
    #expect(manifests.objects[2].namespace == "x")
  }

  @Test(arguments: ["", "\n", "---\n---\n", "# nothing\n", "--- # nothing\n...\n", "%YAML 1.1\n---\n", "null", "~\n---\nnull\n"])
  func `empty documents are fine`(_ text: String) {
    let manifests = Manifests.read(text, file: "f")
    #expect(manifests.objects.isEmpty && manifests.errors == [])
  }

  @Test func `JSON keeps its lines, escapes and a byte order mark`() throws {
    let text = "\u{feff}{\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\",\n\"metadata\": {\"name\": \"\\u0061\\ud83d\\ude00\\/\"}}\n"
    let object = try #require(Manifests.read(text, file: "f").objects.first)
    #expect(object.name == "a😀/")
    let error = try #require(InventoryErrors.of(#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"# + "\n\n" + #""status":{"podIP":"nonsense"}}"#).first)
    #expect(error.line == 3)
    #expect(error.path == "status.podIP")
  }

  @Test func `a broken document does not hide the others`() {
    let manifests = Manifests.read("kind: [\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\na: 1\na: 2\n", file: "f")
    #expect(manifests.objects.map(\.name) == ["a"])
    #expect(manifests.errors.map(\.document) == [1, 3])
    #expect(manifests.errors.last?.line ?? 0 >= 7)
    #expect(manifests.errors.last?.problem == #"the key "a" stands there twice"#)
  }

  @Test(arguments: [
    ("just text", "an object is expected, not the string"), ("- a\n", "an object is expected"), ("a: 1", "apiVersion and kind"),
    ("apiVersion: v1\nkind: true\n", "apiVersion and kind"), ("\"unclosed", "it is not YAML"), ("a: *nothing", "it is not YAML"),
    ("a: 1\n b: 2", "it is not YAML"), (#"{"a": 1, "a": 2}"#, "twice"), ("{\"a\": \u{1}}", "it is not YAML"), ("? [a]\n: b", "not a string"),
  ])
  func `what is no manifest is said to be none`(_ text: String, _ problem: String) {
    let manifests = Manifests.read(text, file: "f")
    #expect(manifests.objects.isEmpty)
    #expect(manifests.errors.count == 1)
    #expect(manifests.errors.first?.problem.contains(problem) == true, "\(manifests.errors)")
  }

  @Test func `aliases and merge keys are expanded, and own keys win`() throws {
    let text = """
      apiVersion: v1
      kind: Pod
      metadata: &m {name: a, namespace: x}
      spec: {nodeName: n}
      ---
      base: &base {kind: Pod, apiVersion: v0}
      <<: [*base, {metadata: {name: b}}]
      apiVersion: v1
      """
    let objects = Manifests.read(text, file: "f").objects
    #expect(objects.map(\.apiVersion) == ["v1", "v1"])
    #expect(objects.map(\.name) == ["a", "b"])
  }

  @Test func `an alias bomb is refused in bounded time`() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...20 { text += "a\(level): &a\(level) [\((0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ", "))]\n" }
    let errors = Manifests.read(text, file: "f").errors
    #expect(errors.map(\.problem) == ["its aliases expand to too many values"])
  }

  @Test func `aliases of all documents of a file together are bounded`() {
    var document = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...3 { document += "a\(level): &a\(level) [\((0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ", "))]\n" }
    // Each document expands to some 12,000 values.
    let few = Manifests.read(Array(repeating: document, count: 8).joined(separator: "---\n"), file: "f")
    #expect(few.objects.count == 8 && few.errors == [])
    let many = Manifests.read(Array(repeating: document, count: 20).joined(separator: "---\n"), file: "f")
    #expect(many.objects.count < 12 && many.errors.count == 20 - many.objects.count)
  }

  @Test(arguments: ["y", "on", "No", "true"]) func `a key that YAML reads as a boolean is refused`(_ key: String) {
    let errors = Manifests.read("apiVersion: v1\nkind: Pod\nmetadata:\n  labels: {\(key): a}\n", file: "f").errors
    #expect(errors.map(\.problem) == ["the key \(key) is a boolean in YAML"])
    #expect(errors.map(\.line) == [4])
    #expect(Manifests.read("apiVersion: v1\nkind: Pod\nmetadata:\n  labels: {'\(key)': a}\n", file: "f").errors == [])
  }

  @Test(arguments: ["? *a20\n: x", "*a20 : x", "[*a20, *a20]: x", "x: {*a20 : y}", "x: {? *a20}", "'a': \"b\n def \" : {*a20 : y}"])
  func `aliases in keys, which would cost exponential time, are refused unread`(_ key: String) {
    var text = "a0: &a0 [x, x]\n"
    for level in 1...30 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1), *a\(level - 1)]\n" }
    let errors = Manifests.read(text + key + "\n", file: "f").errors
    #expect(errors.map(\.problem) == ["an alias stands in the key of a map"])
  }

  @Test(arguments: ["[", "{a: ", "- ", "{\"a\":"])
  func `nesting is bounded`(_ opening: String) {
    let text = String(repeating: opening, count: 100_000)
    #expect(Manifests.read(text, file: "f").errors.count == 1)
    let closed = opening == "{\"a\":" ? text + "1" + String(repeating: "}", count: 100_000) : text
    #expect(Manifests.read(closed, file: "f").errors.count == 1)
  }

  @Test func `lists in lists are bounded`() {
    var text = #"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}"#
    for _ in 0..<4 { text = #"{"apiVersion":"v1","kind":"List","items":[\#(text)]}"# }
    #expect(Manifests.read(text, file: "f").objects.count == 1)
    let deeper = Manifests.read(#"{"apiVersion":"v1","kind":"List","items":[\#(text)]}"#, file: "f")
    #expect(deeper.objects.isEmpty && deeper.errors.count == 1)
    #expect(deeper.errors.first?.path == "items[0].items[0].items[0].items[0].items")
  }

  @Test func `every prefix of a manifest is read or refused, never a trap`() {
    let text = networkPolicy("[{to: [{ipBlock: {cidr: 10.0.0.0/8, except: ['10.1.0.0/16']}}], ports: [{port: 1, endPort: 2}]}]") + """

      ---
      apiVersion: v1
      kind: Pod
      metadata: {labels: &m {app: 'web'}, name: "a\\u00e4", annotations: {<<: *m}}
      spec:
        containers: [{ports: [{containerPort: 80}]}]
      status: {podIP: 10.0.0.1}
      """
    let json = #"{"apiVersion":"v1","kind":"List","items":[{"a":[1,-2.5e3,true,null,"\u00e4\n"]},{}]}"#
    for whole in [text, json] {
      for end in whole.utf8.indices {
        let prefix = String(whole[..<end])
        var policies = PolicySet()
        var reader = InventoryReader()
        _ = policies.add(prefix, file: "f")
        _ = reader.add(prefix, file: "f")
      }
    }
  }

  @Test(arguments: [
    ("y", "the boolean y"), ("n", "the boolean n"), ("yes", "the boolean yes"), ("on", "the boolean on"), ("Off", "the boolean Off"),
    ("true", "the boolean true"), ("8080", "the number 8080"), ("0o17", "the number 15"), ("017", "the number 15"), ("0x1F", "the number 31"),
    ("1e3", "the number 1e3"), ("1.5", "the number 1.5"), (".5", "the number .5"), ("1_000", "the number 1000"), (".inf", "the number .inf"),
    ("-7", "the number -7"), ("null", "null"), ("~", "null"), ("", "null"), ("[a]", "a list"), ("{}", "a map"),
  ])
  func `a label value that YAML 1.1 does not read as a string is refused`(_ written: String, _ account: String) {
    var policies = PolicySet()
    let errors = policies.add(networkPolicy("[]", select: "{matchLabels: {app: \(written)}}"), file: "f.yaml")
    #expect(errors.map(\.path) == ["spec.podSelector.matchLabels.app"])
    #expect(errors.first?.problem == "a string is expected, not \(account)")
    #expect(errors.first?.line == 5)
  }

  @Test(arguments: ["\"y\"", "'8080'", "!!str 8080", "web", "1.2.3", "v1", "1-2", "0xZZ", "yess", "a_b", "\"\""])
  func `a label value that is a string is taken`(_ written: String) {
    var policies = PolicySet()
    #expect(policies.add(networkPolicy("[]", select: "{matchLabels: {app: \(written)}}"), file: "f.yaml") == [])
  }

  @Test func `an error names file, line, document, path, problem and advice`() throws {
    var policies = PolicySet()
    let text = "# one\n---\nkind: Pod\napiVersion: v1\n---\n" + networkPolicy("\n  - to:\n    - ipBlock:\n        cidr: 10.0.0.0")
    let errors = policies.add(text, file: "policies/np.yaml")
    #expect(
      errors.map(\.description) == [
        "policies/np.yaml:15 (document 2): spec.egress[0].to[0].ipBlock.cidr: \"10.0.0.0\" has no prefix length; write 10.0.0.0/32"
      ])
  }

  @Test func `text from a manifest is escaped and cut in messages`() {
    var policies = PolicySet()
    let errors = policies.add(networkPolicy("[]", select: "{matchLabels: {app: \"\\e[31m\(String(repeating: "x", count: 500))\"}}"), file: "f")
    #expect(errors.count == 1)
    #expect(errors.allSatisfy { $0.problem.utf8.count < 120 && !$0.problem.utf8.contains(0x1b) })
  }
}

enum InventoryErrors {
  static func of(_ text: String) -> [ManifestError] {
    var reader = InventoryReader()
    return reader.add(text, file: "f")
  }
}

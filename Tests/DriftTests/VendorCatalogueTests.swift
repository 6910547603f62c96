@testable import Drift
import EgressModel
import Testing

@Suite struct VendorCatalogueTests {
  private static let text = """
    # suffix\tvendor\tcategory\tflags

    amazonaws.com\tAmazon Web Services\tcloud
    s3.amazonaws.com\tAmazon S3\tstorage\tmany-tenant
    Stripe.com.\tStripe\tpayments\t
    run.app\tGoogle Cloud Run\tserverless\tmany-tenant
    """

  private func catalogue(_ texts: String...) throws -> VendorCatalogue {
    try VendorCatalogue(sources: texts.enumerated().map { .init(file: "vendors\($0).tsv", text: $1) })
  }

  @Test(arguments: [
    ("api.stripe.com", "Stripe", "stripe.com"), ("stripe.com", "Stripe", "stripe.com"), ("ec2.eu-west-1.amazonaws.com", "Amazon Web Services", nil),
    ("bucket.s3.amazonaws.com", "Amazon S3", "bucket.s3.amazonaws.com"), ("s3.amazonaws.com", "Amazon S3", "s3.amazonaws.com"),
    ("x-abc.a.run.app", "Google Cloud Run", "x-abc.a.run.app"),
  ])
  func `the longest suffix wins`(name: String, vendor: String, domain: String?) throws {
    let found = try catalogue(Self.text).vendor(for: DomainName(presentation: name))
    #expect(found?.name == vendor)
    if let domain { #expect(found?.domain.text == domain) }
  }

  @Test(arguments: ["badstripe.com", "com", ".", "stripe.com.evil.example", "stripe", #"a\046stripe.com"#, "203.0.113.1", "-stripe.com"])
  func `a suffix matches whole labels only`(name: String) throws {
    #expect(try catalogue(Self.text).vendor(for: DomainName(presentation: name)) == nil)
  }

  @Test func `category and the mark of shared domains come along`() throws {
    let catalogue = try catalogue(Self.text)
    let bucket = catalogue.vendor(for: DomainName(presentation: "b.s3.amazonaws.com"))
    #expect(bucket?.category == "storage")
    #expect(bucket?.isManyTenant == true)
    #expect(catalogue.vendor(for: DomainName(presentation: "api.stripe.com"))?.isManyTenant == false)
    #expect(catalogue.count == 4)
  }

  @Test(arguments: [
    ("s3.amazonaws.com", "*.s3.amazonaws.com is shared by many tenants"), ("amazonaws.com", "*.amazonaws.com is shared by many tenants"),
    ("run.app", "*.run.app is shared by many tenants"), ("co.uk", "*.co.uk is shared by many registrants"), ("com", "*.com is shared by many registrants"),
    ("bucket.s3.amazonaws.com", nil), ("stripe.com", nil), ("ec2.amazonaws.com", nil), ("example.org", nil),
  ])
  func `a wildcard at or above what tenants share lets strangers in`(domain: String, reason: String?) throws {
    #expect(try catalogue(Self.text).sharing(below: DomainName(presentation: domain)) == reason)
  }

  @Test func `a later text overrides an earlier one`() throws {
    let catalogue = try catalogue(Self.text, "stripe.com\tOur payments\tinternal\r\nm.stripe.com\tStripe Radar\tfraud\r\n")
    #expect(catalogue.vendor(for: DomainName(presentation: "api.stripe.com"))?.name == "Our payments")
    #expect(catalogue.vendor(for: DomainName(presentation: "m.stripe.com"))?.name == "Stripe Radar")
    #expect(catalogue.count == 5)
  }

  @Test(arguments: [
    ("a.example\tA\tx\nb.example\tB", 2, "2 columns where there must be 3 or 4"),
    ("a.example\tA\tx\t\tmore", 1, "5 columns"),
    ("# c\n\n*.example.com\tA\tx", 3, "not a domain name"),
    ("a..example\tA\tx", 1, "not a domain name"),
    (".example.com\tA\tx", 1, "not a domain name"),
    ("a b.example\tA\tx", 1, #"'a\032b.example' is not"#),
    ("\u{1b}[31m.example\tA\tx", 1, #"'\027\09131m.example' is not"#),
    ("com\tA\tx", 1, "'com' is a whole top-level domain"),
    ("a.example\t\tx", 1, "no vendor name"),
    ("a.example\tA\u{1b}\tx", 1, "control characters"),
    ("a.example\tA\t", 1, "category"),
    ("a.example\tA\tTwo Words", 1, "category"),
    ("a.example\tA\tx\tmanytenant", 1, "unknown flag 'manytenant'"),
    ("a.example\tA\tx\nb.example\tB\tx\nA.example.\tC\tx", 3, "'a.example' is already on line 1"),
  ])
  func `what is wrong is told with file and line`(text: String, line: Int, problem: String) throws {
    let error = #expect(throws: DriftError.self) { try catalogue("ok.example\tOK\tx", text) }
    #expect(error?.description.hasPrefix("vendors1.tsv:\(line): ") == true)
    #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
  }

  @Test func `the longest label and name are accepted, one octet more is not`() throws {
    let label = String(repeating: "a", count: 63)
    #expect(try catalogue("\(label).example\tA\tx").count == 1)
    #expect(throws: DriftError.self) { try catalogue("a\(label).example\tA\tx") }
    let name = [label, label, label, String(repeating: "b", count: 61)].joined(separator: ".")
    #expect(name.utf8.count == 253)
    #expect(try catalogue("\(name)\tA\tx").vendor(for: DomainName(presentation: "x." + name))?.name == "A")
    #expect(throws: DriftError.self) { try catalogue("\(name)b\tA\tx") }
  }

  @Test func `the embedded catalogue reads without an error`() throws {
    let builtIn = try VendorCatalogue()
    #expect(builtIn.count == VendorCatalogue.builtIn.text.split(separator: "\n").count { !$0.hasPrefix("#") })
    let extended = try VendorCatalogue(extensions: [.init(file: "mine.tsv", text: "partner.example\tPartner\tpartner")])
    #expect(extended.vendor(for: DomainName(presentation: "api.partner.example"))?.name == "Partner")
    #expect(extended.count == builtIn.count + 1)
  }

  /// As many labels as entries have are looked at, so a name of any length costs the same.
  @Test func `clever look-up agrees with the obvious one`() throws {
    let catalogue = try catalogue(Self.text)
    let known = ["amazonaws.com", "s3.amazonaws.com", "stripe.com", "run.app"]
    let seed = UInt64.random(in: 0 ... .max)
    var random = SplitMix64(state: seed)
    let labels = ["s3", "amazonaws", "stripe", "com", "run", "app", "x", ""]
    for _ in 0..<2000 {
      let name = (0..<Int.random(in: 1...6, using: &random)).map { _ in labels.randomElement(using: &random) ?? "" }.joined(separator: ".")
      guard !name.isEmpty else { continue }
      let domain = DomainName(presentation: name)
      let obvious = known.filter { domain.isSameOrUnder(DomainName(presentation: $0)) }.max { $0.utf8.count < $1.utf8.count }
      let found = catalogue.vendor(for: domain)
      #expect((found == nil) == (obvious == nil), "\(name), seed \(seed)")
    }
    let long = DomainName(presentation: String(repeating: "a.", count: 100_000) + "stripe.com")
    #expect(catalogue.vendor(for: long)?.domain.text == "stripe.com")
  }
}

/// A small generator whose runs can be repeated from the seed that a failure prints.
private struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

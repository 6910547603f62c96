import EgressModel
import Reporting
import Testing

@Suite struct EscapingTests {
  @Test(arguments: [
    ("plain text, ünïcode 名前 →", "plain text, ünïcode 名前 →"), ("\u{1b}[31mred", #"\x1b[31mred"#), ("a\nb\r\tc", #"a\x0ab\x0d\x09c"#),
    ("\u{0}\u{7f}\u{9b}31m", #"\x00\x7f\x9b31m"#), ("a\u{202e}cod.exe", #"a\u{202e}cod.exe"#), ("\u{2066}x\u{2069}", #"\u{2066}x\u{2069}"#),
    ("a\u{200b}b\u{feff}", #"a\u{200b}b\u{feff}"#), ("a\u{2028}b\u{2029}", #"a\u{2028}b\u{2029}"#), ("\u{e0041}", #"\u{e0041}"#),
    ("\u{85}", #"\x85"#), ("\r\n", #"\x0d\x0a"#), ("\u{ffff}", #"\u{ffff}"#), ("e\u{301}", "e\u{301}"),
  ])
  func `a terminal sees nothing that acts on it`(text: String, shown: String) {
    #expect(Escaping.terminal(text) == shown)
  }

  @Test(arguments: [
    ("plain", "plain"), ("", ""), ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""), ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"),
    ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", #"'\x09=1"#), ("\r=1", #"'\x0d=1"#), ("\n=1", #"'\x0a=1"#), ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""),
    ("\u{ff1d}1", "'\u{ff1d}1"), ("a=1", "a=1"), ("a\nb", #"a\x0ab"#), ("\"\u{301},", "\"\"\"\u{301},\""),
  ])
  func `a CSV field is one field and no formula`(text: String, field: String) {
    // By scalars: Swift takes canonically equal texts for the same.
    #expect(Array(Escaping.csv(text).unicodeScalars) == Array(field.unicodeScalars))
  }

  @Test(arguments: [
    ("shop/web", "shop/web"), ("api.segment.io:443", "api.segment.io:443"), ("sni 97% dns 3%", "sni 97% dns 3%"), ("a|b", #"`a\|b`"#),
    ("<script>", "`<script>`"), ("@everyone", "`@everyone`"), ("netpol/shop/web#1", "`netpol/shop/web#1`"), ("[x](http://evil)", "`[x](http://evil)`"),
    ("www.evil.example", "`www.evil.example`"), ("https://evil.example", "`https://evil.example`"), ("`code`", "`` `code` ``"), ("a``b`c", "``` a``b`c ```"),
    ("*bold* _x_", "`*bold* _x_`"), ("a\nb", #"`a\x0ab`"#), ("*.example.com", "`*.example.com`"), ("|\u{301}", "`\\|\u{301}`"), ("ünï", "`ünï`"),
    ("shop/web → a.example:443", "shop/web → a.example:443"),
  ])
  func `a Markdown cell is text and nothing else`(text: String, cell: String) {
    #expect(Array(Escaping.markdownCell(text).unicodeScalars) == Array(cell.unicodeScalars))
  }

  @Test(arguments: [
    ("a & b", "a &amp; b"), ("<a href=\"x\" b='y'>", "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;"), ("]]>", "]]&gt;"), ("\u{0}\u{b}", #"\x00\x0b"#),
    ("<\u{338}", "&lt;\u{338}"), ("\u{fffe}", #"\u{fffe}"#), ("a\nb", #"a\x0ab"#),
  ])
  func `markup is text`(text: String, escaped: String) {
    #expect(Array(Escaping.xml(text).unicodeScalars) == Array(escaped.unicodeScalars))
    #expect(Escaping.html(text) == Escaping.xml(text))
  }

  @Test(arguments: [
    (#"a\b"#, #"a\\b"#), ("a\"b", #"a\"b"#), ("a\nb", #"a\nb"#), ("a\r\nb", "a\r\\nb"), ("\"\u{301}", "\\\"\u{301}"),
  ])
  func `a metric label keeps its quotes closed`(text: String, escaped: String) {
    #expect(Array(Escaping.prometheusLabel(text).unicodeScalars) == Array(escaped.unicodeScalars))
  }

  @Test func `every scalar below two thousand and every block's first is survived by every escaping`() {
    for value in Array(UInt32(0)..<2000) + stride(from: 2000, through: 0x10ffff, by: 251) {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let text = String(scalar)
      for escaped in [Escaping.terminal(text), Escaping.csv(text), Escaping.markdownCell(text), Escaping.xml(text)] {
        #expect(!escaped.unicodeScalars.contains { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) }, "U+\(String(value, radix: 16))")
      }
    }
  }
}

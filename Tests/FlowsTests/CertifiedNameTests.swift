import EgressModel
import Testing
import Wire

@testable import Flows

/// Servers whose clients named none, before TLS 1.3.
@Suite struct CertifiedNameTests {
  private static func der(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    content.count < 0x80 ? [tag, UInt8(content.count)] + content : [tag, 0x82] + Traffic.bigEndian(UInt16(content.count)) + content
  }

  /// As little of a certificate as there must be, with these dNSNames.
  private static func certificate(_ names: [String]) -> [UInt8] {
    let alternatives = der(0x30, names.flatMap { der(0x82, Array($0.utf8)) })
    let extensions = der(0xa3, der(0x30, der(0x30, der(0x06, [0x55, 0x1d, 0x11]) + der(0x04, alternatives))))
    let empty = der(0x30, [])
    return der(0x30, der(0x30, der(0x02, [1]) + empty + empty + empty + empty + empty + extensions) + empty)
  }

  private static func message(_ type: UInt8, _ body: [UInt8]) -> [UInt8] { [type, 0] + Traffic.bigEndian(UInt16(body.count)) + body }
  private static func listed(_ certificate: [UInt8]) -> [UInt8] {
    let length = Traffic.bigEndian(UInt16(certificate.count))
    return [0] + Traffic.bigEndian(UInt16(certificate.count + 3)) + [0] + length + certificate
  }
  private static func record(_ content: [UInt8]) -> [UInt8] { [22, 3, 3] + Traffic.bigEndian(UInt16(content.count)) + content }

  /// ServerHello, Certificate, ServerHelloDone.
  private static func flight(_ names: [String]) -> [UInt8] {
    record(
      message(2, [3, 3] + [UInt8](repeating: 7, count: 32) + [0, 0xc0, 0x2b, 0]) + message(11, listed(certificate(names))) + message(14, []))
  }

  /// A client that says `text` and then a hello, to which the server answers in segments of `size` octets.
  private static func run(_ hello: [UInt8], after text: String = "", answer: [UInt8], size: Int = 1_400, captured: Int? = nil) throws -> (FlowRecord, held: Int) {
    var run = MeterRun()
    run.handshake()
    var (out, back) = (UInt32(1001), UInt32(9001))
    if !text.isEmpty {
      run.feed(Traffic.tcp(MeterRun.client, MeterRun.server, .ack, sequence: out, acknowledgment: back, Array(text.utf8)))
      out += UInt32(text.utf8.count)
      run.feed(Traffic.tcp(MeterRun.server, MeterRun.client, .ack, sequence: back, acknowledgment: out, Array("220 go ahead\r\n".utf8)))
      back += 14
    }
    run.feed(Traffic.tcp(MeterRun.client, MeterRun.server, .ack, sequence: out, acknowledgment: back, hello))
    for start in stride(from: 0, to: answer.count, by: size) {
      let piece = Array(answer[start..<min(start + size, answer.count)])
      run.feed(Traffic.tcp(MeterRun.server, MeterRun.client, .ack, sequence: back + UInt32(start), piece), captured: captured)
    }
    let held = run.meter.counters.reassemblyBytes
    return (try run.record(), held)
  }

  private static let names = ["shop.example.com", "*.shop.example.com"]

  @Test(arguments: [1_400, 50, 7, 1])
  func `the certificate's names are hints, however the server's flight is cut`(size: Int) throws {
    let (record, held) = try Self.run(Traffic.clientHello(nil), answer: Self.flight(Self.names), size: size)
    #expect(record.names == Self.names.map { NameEvidence(name: DomainName(presentation: $0), source: .certificate, confidence: .hint) })
    #expect(held == 0 && record.application == .tls)
  }

  @Test func `behind an upgrade the server's stream is read from where the client says that it stands`() throws {
    let (record, _) = try Self.run(Traffic.clientHello(nil), after: "EHLO x\r\nSTARTTLS\r\n", answer: Self.flight(Self.names))
    #expect(record.names.map(\.name.text) == Self.names)
  }

  @Test func `who names the server needs no certificate, and behind a proxy it is another's`() throws {
    let (named, _) = try Self.run(Traffic.clientHello("a.example"), answer: Self.flight(Self.names))
    #expect(named.names.map(\.source) == [.tlsSNI])
    let (proxied, _) = try Self.run(Traffic.clientHello(nil), after: "CONNECT 192.0.2.1:443 HTTP/1.1\r\n\r\n", answer: Self.flight(Self.names))
    #expect(proxied.names.map(\.source) == [.httpConnect] && proxied.name == nil)
  }

  @Test func `four names are kept, and nothing of an answer that is cut`() throws {
    let (many, _) = try Self.run(Traffic.clientHello(nil), answer: Self.flight((0..<9).map { "n\($0).example" }))
    #expect(many.names.count == 4)
    let (cut, held) = try Self.run(Traffic.clientHello(nil), answer: Self.flight(Self.names), captured: 150)
    #expect(cut.names.isEmpty && held == 0)
  }
}

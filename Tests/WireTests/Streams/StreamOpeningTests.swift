import EgressModel
import Testing
import Wire

@Suite struct StreamOpeningTests {
  typealias O = Octets

  struct Case: Sendable {
    var application: Application
    var bytes: [UInt8]
    /// Whether another protocol may begin behind these octets.
    var goesOn: Bool

    init(_ application: Application, _ bytes: [UInt8], goesOn: Bool = false) {
      self.application = application
      self.bytes = bytes
      self.goesOn = goesOn
    }
    init(_ application: Application, _ text: String, goesOn: Bool = false) { self.init(application, [UInt8](text.utf8), goesOn: goesOn) }
  }

  static func ldap(_ operation: UInt8, _ content: [UInt8], id: UInt8 = 1) -> [UInt8] {
    let message = [2, 1, id, operation] + O.block8(content)
    return [0x30] + O.block8(message)
  }
  static let startTLS = ldap(0x77, [0x80] + O.block8([UInt8]("1.3.6.1.4.1.1466.20037".utf8)))
  static let rootDSE = ldap(0x63, [4, 0, 10, 1, 0, 10, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0, 0x87, 4, 0x61, 0x62, 0x63, 0x64, 0x30, 0])
  /// The length in four octets, as Active Directory's clients write it.
  static let longBind = [0x30, 0x84, 0, 0, 0, 16, 2, 1, 1, 0x60, 0x84, 0, 0, 0, 7, 2, 1, 3, 4, 0, 0x80, 0] as [UInt8]

  static func mysql(length: Int, capabilities: UInt32, tail: [UInt8] = []) -> [UInt8] {
    [UInt8(length & 255), UInt8(length >> 8), 0, 1] + [0, 8, 16, 24].map { UInt8(capabilities >> UInt32($0) & 255) } + [0, 0, 0, 1, 33]
      + [UInt8](repeating: 0, count: 23) + tail
  }
  static func mongo(_ operation: [UInt8], _ content: [UInt8], answers: [UInt8] = [0, 0, 0, 0]) -> [UInt8] {
    [UInt8(16 + content.count), 0, 0, 0, 7, 0, 0, 0] + answers + operation + content
  }
  static func rdp(cookie: String, flags: UInt8 = 0, protocols: UInt8, correlation: Int = 0) -> [UInt8] {
    let tail = [UInt8](cookie.utf8) + [1, flags, 8, 0, protocols, 0, 0, 0] + [UInt8](repeating: 6, count: correlation)
    return [3, 0] + O.u16(11 + tail.count) + [UInt8(6 + tail.count), 0xe0, 0, 0, 0x12, 0x34, 0] + tail
  }

  static let cases: [Case] = [
    Case(.smtp, "EHLO mail.example\r\nSTARTTLS\r\n", goesOn: true), Case(.smtp, "ehlo x\nrset\nstarttls\n", goesOn: true),
    Case(.smtp, "EHLO x\r\nMAIL FROM:<a@b>\r\n"), Case(.smtp, "HELO x\r\nAUTH LOGIN\r\n"), Case(.smtp, "EHLO x\r\nDATA\r\nSTARTTLS\r\n"),
    Case(.smtp, "EHLO x\r\nMAIL FROM:<a@b>\r\nAUTH PLAIN AGEAYg==\r\nSTARTTLS\r\n", goesOn: true), Case(.imap, ". CAPABILITY\r\n. STARTTLS\r\n", goesOn: true),
    Case(.imap, "<a]-1> LOGIN joe secret\r\nx NAMESPACE\r\n2 STARTTLS\r\n", goesOn: true), Case(.nntp, "CAPABILITIES\r\nLIST\r\nSTARTTLS\r\n", goesOn: true),
    Case(.pop3, "NOOP\nNOOP\nNOOP\nNOOP\nNOOP\nNOOP\nNOOP\nCAPA\nSTLS\n", goesOn: true), Case(.pop3, "USER joe\r\nPASS secret\r\nSTAT\r\n"), Case(.ftp, "USER joe\r\nPASS secret\r\nPWD\r\nAUTH TLS\r\n", goesOn: true),
    Case(.imap, "a001 CAPABILITY\r\nA.2 STARTTLS\r\n", goesOn: true), Case(.imap, "1 LOGIN joe secret\r\n"),
    Case(.pop3, "AUTH\r\nCAPA\r\nSTLS\r\n", goesOn: true), Case(.ftp, "AUTH TLS\r\n", goesOn: true), Case(.ftp, "FEAT\r\nAUTH SSL\r\n", goesOn: true),
    Case(.nntp, "CAPABILITIES\r\nSTARTTLS\r\n", goesOn: true), Case(.sieve, "CAPABILITY\r\nSTARTTLS\r\n", goesOn: true),
    Case(
      .xmpp, "<?xml version='1.0'?><stream:stream to='im.example' xmlns='jabber:client' version='1.0'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
      goesOn: true),
    Case(.xmpp, "<stream:stream to='im.example'>\n<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'></starttls>", goesOn: true),
    Case(.xmpp, "<stream:stream to='im.example'><auth "), Case(.ldap, startTLS, goesOn: true), Case(.ldap, rootDSE + startTLS, goesOn: true),
    Case(.ldap, ldap(0x77, [0x80, 0x81] + O.block8([UInt8]("1.3.6.1.4.1.1466.20037".utf8))), goesOn: true),
    Case(.ldap, ldap(0x60, [2, 1, 3, 4, 0, 0x80, 0])), Case(.ldap, longBind), Case(.postgres, O.u32(8) + O.u32(80_877_103), goesOn: true),
    Case(.postgres, O.u32(8) + O.u32(80_877_104), goesOn: true), Case(.postgres, O.u32(40) + [0, 3, 0, 0] + [UInt8]("u".utf8)),
    Case(.mysql, mysql(length: 32, capabilities: 0x0003_8a00), goesOn: true), Case(.mysql, mysql(length: 80, capabilities: 0x0003_8a00)),
    Case(.rdp, rdp(cookie: "Cookie: mstshash=joe\r\n", protocols: 3), goesOn: true), Case(.rdp, rdp(cookie: "", protocols: 1), goesOn: true),
    Case(.rdp, rdp(cookie: "", flags: 8, protocols: 3, correlation: 36), goesOn: true), Case(.rdp, rdp(cookie: "", protocols: 0)),
    Case(.mongodb, mongo([0xdd, 7, 0, 0], [0, 0, 0, 0, 0])), Case(.mongodb, mongo([0xd4, 7, 0, 0], [4, 0, 0, 0, 0x61], answers: [255, 255, 255, 255])),
    Case(.redis, "*2\r\n$4\r\nA"), Case(.kafka, O.u32(20) + O.u16(18) + O.u16(3) + O.u32(1) + O.block16([UInt8]("rdkafka".utf8))),
  ]

  private func first(_ bytes: [UInt8], isComplete: Bool = false) -> StreamResult<StreamOpening> {
    StreamOpening.first(in: bytes.span, isComplete: isComplete)
  }

  @Test(arguments: cases.indices)
  func `a protocol is known by what its client says first, and where it goes on with TLS`(index: Int) throws {
    let what = Self.cases[index]
    for rest in [[], [22, 3, 1, 0]] as [[UInt8]] {
      let opening = try #require(first(what.bytes + rest, isComplete: rest.isEmpty).value, "\(what.application)")
      #expect(opening.application == what.application && opening.proxy == nil)
      #expect(opening.byteCount == (what.goesOn ? what.bytes.count : nil), "\(what.application)")
    }
  }

  @Test(arguments: cases.indices)
  func `no prefix is taken for something else, and each asks for more than it has`(index: Int) {
    let what = Self.cases[index]
    for count in 0..<what.bytes.count {
      switch StreamOpening.first(in: what.bytes.span.extracting(0..<count)) {
      case .needMore(let atLeast): #expect(atLeast > count && atLeast <= what.bytes.count + 24, "\(what.application) \(count)")
      // What a protocol is may be clear before its last octet.
      case .found(let opening): #expect(opening.application == what.application, "\(what.application) \(count)")
      case .other(let reason): Issue.record("\(what.application) \(count): \(reason)")
      }
    }
  }

  @Test(arguments: [
    "hello\r\n", "STARTTLS now\r\n", "\u{1}EHLO x\r\n", "AUTH PLAIN\r\n", "MODE x\r\n", "<?xml version='1.0'?><soap:Envelope>\u{0}", "*\r\nPING", "*12345\r\n", "*1\nPING",
    "*1\r\n$1\r\n\u{1}", "this-is-a-very-long-tag-of-33-octets- STARTTLS\r\n", "a b\r\n",
    "+ STARTTLS\r\n", "a{1} STARTTLS\r\n", "a-word-that-no-command-and-no-tag-has", "PASS secret\r\nx\r\n",
  ])
  func `other text is none of them`(text: String) {
    #expect(first([UInt8](text.utf8)).value == nil)
    guard case .other = first([UInt8](text.utf8)) else {
      Issue.record("\(text)")
      return
    }
  }

  @Test(arguments: [
    [0, 0, 0, 9, 4, 0xd2, 0x16, 0x2f], [0, 0, 0, 8, 0, 9, 0, 0], O.u32(10_001) + [0, 3, 0, 0, 0x75] + [UInt8](repeating: 0xff, count: 8), ldap(0x61, [10, 1, 0, 4, 0, 4, 0]),
    [0x30, 5, 2, 1, 1, 0x60, 0, 0, 0, 0, 0, 1], [0x30, 0x80, 2, 1, 1, 0x60, 3, 2, 1, 3, 0, 1], mysql(length: 31, capabilities: 0xa00), mysql(length: 32, capabilities: 0x800),
    mongo([0xdd, 7, 0, 0], [0, 1, 0, 0, 0]), mongo([0xdc, 7, 0, 0], [0xdc, 7, 0, 0, 0]), mongo([1, 0, 0, 0], [0, 0, 0, 0, 0]),
    [3, 0, 0, 22, 17, 0xe0, 0, 0, 0, 1, 0, 0xc1, 2, 1, 0, 0xc2, 2, 1, 2, 0xc0, 1, 10],
    O.u32(20) + O.u16(18) + O.u16(21) + O.u32(1) + O.block16([UInt8]("rdkafka".utf8)),
    O.u32(20) + O.u16(18) + O.u16(3) + O.u32(1) + O.block16([UInt8](repeating: 7, count: 7)), [255, 254, 253, 252],
  ] as [[UInt8]])
  func `other octets are none of them`(bytes: [UInt8]) {
    guard case .other = first(bytes) else {
      Issue.record("\(bytes): \(first(bytes))")
      return
    }
  }

  @Test func `what goes on behind an opening begins inside the stream`() {
    let request = Self.rdp(cookie: "", flags: 8, protocols: 3)
    for count in 0..<36 {
      guard case .needMore(request.count + 36) = first(request + [UInt8](repeating: 6, count: count)) else {
        Issue.record("\(count): \(first(request + [UInt8](repeating: 6, count: count)))")
        return
      }
    }
    #expect(first(request + [UInt8](repeating: 6, count: 36)).value?.byteCount == request.count + 36)
  }

  @Test func `what is told when nothing more comes is told of a part`() {
    for (part, application) in [
      ("EHLO x\r\n", Application.smtp), ("EHLO x\r\nSTART", .smtp), ("a CAPABILITY\r\n", .imap), ("<stream:stream to='x'>", .xmpp),
    ] {
      #expect(first([UInt8](part.utf8)).value == nil)
      #expect(first([UInt8](part.utf8), isComplete: true).value == StreamOpening(application))
    }
    #expect(first(Self.rootDSE, isComplete: true).value == StreamOpening(.ldap))
  }

  @Test func `16 lines of 1,024 octets are read, and no more`() {
    let lines = "EHLO x\r\n" + String(repeating: "NOOP\r\n", count: 14)
    #expect(first([UInt8]((lines + "STARTTLS\r\n").utf8)).value?.byteCount != nil)
    #expect(first([UInt8]((lines + "NOOP\r\nSTARTTLS\r\n").utf8)).value == StreamOpening(.smtp))

    let long = "EHLO " + String(repeating: "x", count: 1_019)
    #expect(first([UInt8]((long + "\nSTARTTLS\r\n").utf8)).value?.byteCount != nil)
    #expect(first([UInt8]((long + "x\nSTARTTLS\r\n").utf8)).value == nil)
  }

  @Test func `4 messages of LDAP are read, and no more`() {
    #expect(first(Self.rootDSE + Self.rootDSE + Self.rootDSE + Self.startTLS).value?.byteCount != nil)
    #expect(first(Self.rootDSE + Self.rootDSE + Self.rootDSE + Self.rootDSE + Self.startTLS).value == StreamOpening(.ldap))
  }

  @Test func `4 KiB of XMPP are read, and no more`() {
    let head = "<stream:stream to='x'>"
    let blank = { String(repeating: " ", count: $0) }
    #expect(first([UInt8]((head + blank(4_096 - head.utf8.count - 11) + "<starttls/>").utf8)).value?.byteCount == 4_096)
    #expect(first([UInt8]((head + blank(4_096 - head.utf8.count - 10) + "<starttls/>").utf8)).value == StreamOpening(.xmpp))
  }

  @Test func `an NTP message is known by its header`() {
    for (first, count, isOne) in [(0x23, 48, true), (0xe3, 68, true), (0x24, 48, true), (0x23, 47, false), (0x23, 50, false), (0x27, 48, false), (0x03, 48, false)] {
      let message = [UInt8(first)] + [UInt8](repeating: 0, count: count - 1)
      let found = NTPMessage.isOne(message.span)
      #expect(found == isOne, "\(first) \(count)")
    }
  }
}

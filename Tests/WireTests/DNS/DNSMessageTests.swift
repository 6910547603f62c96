import EgressModel
import Testing
import Wire

@Suite struct DNSMessageTests {
  typealias F = DNSFixtures

  @Test func `an answer gives header, question and records`() throws {
    let message = try F.decode(F.shop)
    #expect(message.id == 0x1234)
    #expect(message.flags.isResponse && message.flags.isRecursionDesired && !message.flags.isTruncated && message.flags.opcode == 0)
    #expect(message.responseCode == .noError)
    #expect(message.question == .init(name: DomainName(presentation: "shop.example.com"), type: .a))
    #expect(message.answers.map(\.name.text) == ["shop.example.com", "cdn.example.com", "e.example.com", "e.example.com"])
    #expect(message.answers.map(\.type) == [.cname, .cname, .a, .a])
    #expect(message.answers.map(\.ttl) == [300, 60, 5, 7])
    #expect(message.answers[1].data == .canonicalName(DomainName(presentation: "e.example.com")))
    #expect(message.answers[3].data == .address(IPAddress(v4: 0xcb00_710b)))
    #expect(message.stop == nil)
  }

  @Test(arguments: [
    (0x8183, [], "NXDOMAIN"), (0x8182, [], "SERVFAIL"), (0x8185, [], "REFUSED"), (0x818f, [], "RCODE15"),
    // EDNS puts the upper eight bits into the first octet of the OPT record's time to live.
    (0x8180, [F.record([0], 41, ttl: 0x0100_0000, [])], "BADVERS"), (0x8187, [F.record([0], 41, ttl: 0x0100_0000, [])], "BADCOOKIE"),
    (0x8183, [F.record([0], 41, ttl: 0, [])], "NXDOMAIN"), (0x818f, [F.record([0], 41, ttl: 0xff00_0000, [])], "RCODE4095"),
  ])
  func `the response code joins header and EDNS`(flags: Int, additional: [[UInt8]], text: String) throws {
    let message = try F.decode(F.message(flags: flags, questions: [F.question(F.name("a.example"), 1)], additional: additional))
    #expect(message.responseCode.description == text)
  }

  @Test(arguments: [
    ("A", 1), ("AAAA", 28), ("PTR", 12), ("HTTPS", 65), ("SVCB", 64), ("ANY", 255), ("TXT", 16), ("SRV", 33), ("TYPE4711", 4711),
    ("TYPE0", 0),
  ] as [(String, UInt16)])
  func `a record type has the text of the registry`(text: String, number: UInt16) {
    #expect(RecordType(rawValue: number).description == text)
    #expect(RecordType(text.lowercased())?.rawValue == number)
  }

  @Test(arguments: ["", "TYPE", "TYPE65536", "TYPE-1", "B"])
  func `text that is no record type is refused`(text: String) {
    #expect(RecordType(text) == nil)
  }

  @Test(arguments: [
    (F.name("WwW.eXample"), "www.example"), ([0], "."), (Octets.block8([UInt8]("a.b c\u{1}".utf8) + [0xff]) + F.name("x"), #"a\046b\032c\001\255.x"#),
    (F.name("_sip._tcp.example"), "_sip._tcp.example"), (Octets.block8([UInt8](#"a\046b"#.utf8)) + [0], #"a\092046b"#),
  ])
  func `names are lower case, printable, and a dot inside a label is no separator`(wire: [UInt8], text: String) throws {
    #expect(try F.decode(F.message(questions: [F.question(wire, 1)])).question?.name.text == text)
  }

  @Test func `a name of 255 octets is read and one of 256 is not`() throws {
    let label = [UInt8](repeating: UInt8(ascii: "a"), count: 63)
    let three = Octets.block8(label) + Octets.block8(label) + Octets.block8(label)
    let longest = three + Octets.block8([UInt8](label.dropLast(2))) + [0]
    #expect(longest.count == 255)
    #expect(try F.decode(F.message(questions: [F.question(longest, 1)])).question?.name.text.utf8.count == 253)
    let tooLong = three + Octets.block8([UInt8](label.dropLast(1))) + [0]
    #expect(throws: WireError.malformed(layer: .dns, reason: .nameTooLong, offset: 12 + 192)) {
      try F.decode(F.message(questions: [F.question(tooLong, 1)]))
    }
  }

  @Test(arguments: [
    ("to itself", F.pointer(12), WireError.Reason.pointerNotBackwards), ("forward", F.pointer(14), .pointerNotBackwards),
    ("past the end", F.pointer(0x3fff), .pointerNotBackwards), ("to the label before it", [1, 0x61] + F.pointer(12), .pointerNotBackwards),
    ("label type 01", [0x41, 0], .unknownLabelType), ("label type 10", [0x80, 0], .unknownLabelType),
  ])
  func `a name that cannot be followed is malformed`(what: String, name: [UInt8], reason: WireError.Reason) throws {
    do {
      let message = try F.decode(F.message(questions: [F.question(name, 1)]))
      Issue.record("\(what) gave \(message)")
    } catch {
      guard case .malformed(.dns, reason, _) = error else {
        Issue.record("\(what) gave \(error)")
        return
      }
    }
  }

  @Test func `two pointers to each other stop the records and keep those before`() throws {
    // The question takes 12…<23; the first owner is at 23, its data at 35, the second owner at 39.
    let message = try F.decode(
      F.message(
        questions: [F.question(F.name("a.exam"), 1)],
        answers: [F.record(F.pointer(12), 1, [192, 0, 2, 1]), F.record([1, 0x62] + F.pointer(45), 1, [192, 0, 2, 2])]))
    #expect(message.answers.count == 1)
    guard case .malformed(.dns, .pointerNotBackwards, _) = message.stop else {
      Issue.record("\(String(describing: message.stop))")
      return
    }
  }

  @Test(arguments: [(127, true), (128, false)])
  func `a chain of pointers is followed for 127 hops`(hops: Int, isRead: Bool) throws {
    // TXT data full of pointers, each to the one before it, the first to the question; then an owner that points to the last.
    let question = F.question(F.name("a.example"), 1)
    let dataStart = 12 + question.count + 2 + 10
    let pointers = [F.pointer(12)] + (0..<hops - 2).map { F.pointer(dataStart + 2 * $0) }
    let message = try F.decode(
      F.message(
        questions: [question],
        answers: [
          F.record(F.pointer(12), 16, pointers.flatMap { $0 }), F.record(F.pointer(dataStart + 2 * (hops - 2)), 1, [192, 0, 2, 1]),
        ]))
    #expect(message.answers.count == (isRead ? 2 : 1))
    #expect(message.answers.last?.name.text == "a.example")
    #expect((message.stop == nil) == isRead)
  }

  @Test(arguments: [
    ("A of 3 octets", 1, [1, 2, 3]), ("A of 5 octets", 1, [1, 2, 3, 4, 5]), ("AAAA of 4 octets", 28, [1, 2, 3, 4]),
    ("CNAME of nothing", 5, []),
    ("CNAME and an octet", 5, F.name("b") + [0]), ("CNAME cut", 5, [3, 0x61]), ("PTR and an octet", 12, F.pointer(12) + [7]),
    ("HTTPS with half a key", 65, [0, 1, 0, 0]), ("HTTPS with a long value", 65, [0, 1, 0, 0, 1, 0, 9, 1]),
    ("ipv4hint of 5 octets", 65, [0, 1, 0, 0, 4, 0, 5, 1, 2, 3, 4, 5]), ("port of 3 octets", 65, [0, 1, 0, 0, 3, 0, 3, 1, 2, 3]),
  ] as [(String, Int, [UInt8])])
  func `record data that does not fit its type stops the message there`(what: String, type: Int, data: [UInt8]) throws {
    let message = try F.decode(
      F.message(
        questions: [F.question(F.name("a.example"), type)],
        answers: [F.record(F.pointer(12), 1, [192, 0, 2, 1]), F.record(F.pointer(12), type, data), F.record(F.pointer(12), 1, [192, 0, 2, 2])]))
    #expect(message.answers.count == 1, "\(what)")
    #expect(message.stop?.isTruncation == false, "\(what)")
  }

  @Test func `types not decoded are kept as where they are`() throws {
    let data: [UInt8] = [3, 0x61, 0x62, 0x63]
    let bytes = F.message(
      questions: [F.question(F.name("a"), 255)],
      answers: [F.record(F.pointer(12), 16, data), F.record(F.pointer(12), 1, class: 3, [1, 2]), F.record(F.pointer(12), 4711, [])])
    let message = try F.decode(bytes)
    #expect(message.stop == nil)
    guard case .other(let range) = message.answers[0].data else {
      Issue.record("\(message.answers[0])")
      return
    }
    #expect([UInt8](bytes[range]) == data)
    #expect(message.answers.count == 3)
  }

  @Test func `an HTTPS record gives target, hints, protocols and whether it hands out ECH keys`() throws {
    let data =
      Octets.u16(1) + [0] + Octets.u16(1) + Octets.block16(Octets.block8([UInt8]("h2".utf8)) + Octets.block8([UInt8]("h3".utf8)))
      + Octets.u16(3) + Octets.block16(Octets.u16(8443)) + Octets.u16(4) + Octets.block16([192, 0, 2, 1, 192, 0, 2, 2])
      + Octets.u16(5) + Octets.block16([0xfe, 0x0d]) + Octets.u16(6) + Octets.block16(Octets.hex("20010db8000000000000000000000001"))
      + Octets.u16(0xff00) + Octets.block16([9])
    let alias = Octets.u16(0) + F.name("svc.example")
    let message = try F.decode(
      F.message(
        questions: [F.question(F.name("a.example"), 65)], answers: [F.record(F.pointer(12), 65, data), F.record(F.pointer(12), 64, alias)]))
    #expect(
      message.answers.first?.data
        == .service(
          ServiceBinding(
            priority: 1, target: DomainName(presentation: "."), alpn: [[UInt8]("h2".utf8), [UInt8]("h3".utf8)], port: 8443,
            addressHints: ["192.0.2.1", "192.0.2.2", "2001:db8::1"].compactMap { IPAddress($0) }, hasECH: true)))
    #expect(message.answers.last?.data == .service(ServiceBinding(priority: 0, target: DomainName(presentation: "svc.example"))))
  }

  @Test func `the counts of the header are bounded by what the message holds`() throws {
    let message = try F.decode(
      F.message(questions: [F.question(F.name("a"), 1)], answers: [F.record(F.pointer(12), 1, [192, 0, 2, 1])], answerCount: 65_535))
    #expect(message.answers.count == 1)
    #expect(message.stop?.isTruncation == true)
  }

  @Test(arguments: [(4_096, true), (4_097, false)])
  func `4096 records are read and not one more`(count: Int, isWhole: Bool) throws {
    let record = F.record([0], 16, [])
    let message = try F.decode(F.message(questions: [F.question(F.name("a"), 16)], answers: Array(repeating: record, count: count)))
    #expect(message.answers.count == 4_096)
    #expect((message.stop == nil) == isWhole)
  }

  @Test func `questions beyond the first are counted and skipped`() throws {
    let message = try F.decode(
      F.message(
        questions: [F.question(F.name("a"), 1), F.question(F.name("b"), 1)], answers: [F.record(F.pointer(12), 1, [192, 0, 2, 1])]))
    #expect(message.questionCount == 2)
    #expect(message.question?.name.text == "a")
    #expect(message.answers.count == 1)
    #expect(message.resolution() == nil)
  }

  @Test func `every prefix is truncated: an error before the answers, the records so far after`() throws {
    let whole = try F.decode(F.shop)
    let answersStart = 34
    for count in 0..<F.shop.count {
      let prefix = [UInt8](F.shop.prefix(count))
      if count < answersStart {
        do throws(WireError) {
          let message = try F.decode(prefix)
          Issue.record("\(count) octets gave \(message)")
        } catch {
          #expect(error.isTruncation, "\(count) octets: \(error)")
        }
      } else {
        let message = try F.decode(prefix)
        #expect(message.stop?.isTruncation == true, "\(count) octets")
        #expect(message.question == whole.question)
        #expect(message.answers.elementsEqual(whole.answers.prefix(message.answers.count)), "\(count) octets")
      }
    }
  }
}

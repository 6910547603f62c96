import EgressModel

/// DNS queries and answers over UDP ([RFC 1035 §4](https://www.rfc-editor.org/rfc/rfc1035#section-4)), with EDNS(0) as stub resolvers send it.
enum DNSMessage {
  enum Question: UInt16 { case a = 1, aaaa = 28 }

  static func query(identifier: UInt16, name: String, _ question: Question) -> [UInt8] {
    var message = header(identifier: identifier, flags: 0x0100, answers: 0)
    appendQuestion(to: &message, name, question)
    appendOPT(to: &message)
    return message
  }

  /// An answer that walks `chain` by CNAME and ends in `addresses`; owners and the shared parents of targets are compressed.
  static func answer(
    identifier: UInt16, name: String, _ question: Question, chain: [String], addresses: [IPAddress], timeToLive: UInt32
  ) -> [UInt8] {
    var message = header(identifier: identifier, flags: 0x8180, answers: UInt16(chain.count + addresses.count))
    appendQuestion(to: &message, name, question)
    var owner: UInt16 = 12
    for target in chain {
      appendRecordHeader(to: &message, owner: owner, type: 5, timeToLive: 300)
      let start = UInt16(message.count + 2)
      message.appendVector(octets: 2) { appendName(to: &$0, target) }
      owner = start
    }
    for address in addresses {
      appendRecordHeader(to: &message, owner: owner, type: question.rawValue, timeToLive: timeToLive)
      message.appendVector(octets: 2) { $0.append(address: address) }
    }
    appendOPT(to: &message)
    return message
  }

  /// NXDOMAIN, as a search domain earns it.
  static func noSuchName(identifier: UInt16, name: String, _ question: Question) -> [UInt8] {
    var message = header(identifier: identifier, flags: 0x8183, answers: 0)
    appendQuestion(to: &message, name, question)
    appendOPT(to: &message)
    return message
  }

  private static func header(identifier: UInt16, flags: UInt16, answers: UInt16) -> [UInt8] {
    var message: [UInt8] = []
    message.reserveCapacity(512)
    for field in [identifier, flags, 1, answers, 0, 1] { message.append(bigEndian: field) }
    return message
  }

  private static func appendQuestion(to message: inout [UInt8], _ name: String, _ question: Question) {
    appendName(to: &message, name)
    message.append(bigEndian: question.rawValue)
    message.append(bigEndian: 1 as UInt16)
  }

  private static func appendName(to message: inout [UInt8], _ name: String) {
    for label in name.utf8.split(separator: UInt8(ascii: ".")) {
      message.append(UInt8(label.count))
      message.append(contentsOf: label)
    }
    message.append(0)
  }

  private static func appendRecordHeader(to message: inout [UInt8], owner: UInt16, type: UInt16, timeToLive: UInt32) {
    message.append(bigEndian: 0xc000 | owner)
    message.append(bigEndian: type)
    message.append(bigEndian: 1 as UInt16)
    message.append(bigEndian: timeToLive)
  }

  private static func appendOPT(to message: inout [UInt8]) {
    message.append(contentsOf: [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0])
  }
}

import EgressModel
import Wire

/// One message, as a datagram has it; the same octets as a stream of messages behind their lengths.
enum DNSTarget {
  static func run(_ bytes: Span<UInt8>) {
    decode(bytes)
    for length in Prefixes.lengths(bytes) { decode(bytes.extracting(0..<length)) }

    Prefixes.check(bytes) { DNSTCP.message(in: $0) }
    var offset = 0
    while case .found(let range) = DNSTCP.message(in: bytes, at: offset) {
      demand(range.lowerBound == offset + 2 && range.upperBound <= bytes.count, "a message is in its stream")
      decode(bytes.extracting(range))
      offset = range.upperBound
    }

    if bytes.count >= 16 {
      var halves: (UInt64, UInt64) = (0, 0)
      for index in 0..<8 {
        halves.0 = halves.0 << 8 | UInt64(bytes[index])
        halves.1 = halves.1 << 8 | UInt64(bytes[8 + index])
      }
      for address in [IPAddress(high: halves.0, low: halves.1), IPAddress(v4: UInt32(truncatingIfNeeded: halves.1))] {
        demand(IPAddress(reverseName: address.reverseName) == address, "a reverse name is its address")
        demand((try? DNSMessage(decoding: DNSMessage.encodePTRQuery(id: 7, address: address).span))?.question?.name == address.reverseName, "a query is read back")
      }
    }
  }

  private static func decode(_ bytes: Span<UInt8>) {
    guard let message = try? DNSMessage(decoding: bytes) else { return }
    demand(message.answers.count <= DNSMessage.maximumRecordCount, "records are bounded")
    if let question = message.question {
      question.name.check()
      _ = IPAddress(reverseName: question.name)
      demand(RecordType(question.type.description) == question.type, "a type is read back: \(question.type)")
    }
    for answer in message.answers {
      answer.name.check()
      demand(answer.name.text.utf8.count <= 4 * 255, "a name is of 255 octets at most")
    }
    guard let resolution = message.resolution() else { return }
    demand(resolution.chain.count <= DNSMessage.maximumChainLength, "chains are bounded")
    for name in [resolution.name] + resolution.chain + resolution.targets + resolution.pointers { name.check() }
  }
}

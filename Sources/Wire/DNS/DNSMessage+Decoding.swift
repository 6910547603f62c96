internal import EgressModel

extension DNSMessage {
  /// Decodes a message that starts at the first octet, as UDP carries it or as `DNSTCP` finds it in a stream.
  ///
  /// Fails when the header or the first question cannot be had; a message that breaks later keeps what came before (see `stop`).
  public init(decoding bytes: Span<UInt8>) throws(WireError) {
    var cursor = ByteCursor(bytes, layer: .dns)
    try cursor.require(12)
    id = try cursor.uint16(bytes)
    flags = Flags(rawValue: try cursor.uint16(bytes))
    responseCode = ResponseCode(rawValue: flags.rawValue & 0xf)
    questionCount = Int(try cursor.uint16(bytes))
    let answerCount = Int(try cursor.uint16(bytes))
    let otherCount = Int(try cursor.uint16(bytes)) + Int(try cursor.uint16(bytes))
    answers = []

    var names = DNSNameDecoder()
    if questionCount > 0 {
      let (name, end) = try names.name(bytes, at: cursor.offset)
      try cursor.skip(end - cursor.offset)
      question = Question(
        name: name, type: RecordType(rawValue: try cursor.uint16(bytes)), class: RecordClass(rawValue: try cursor.uint16(bytes)))
    }
    do throws(WireError) {
      try decodeRecords(bytes, &cursor, &names, answerCount: answerCount, otherCount: otherCount)
    } catch {
      stop = error
    }
  }

  private mutating func decodeRecords(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, _ names: inout DNSNameDecoder, answerCount: Int, otherCount: Int
  ) throws(WireError) {
    var budget = Self.maximumRecordCount
    for _ in 0..<max(0, questionCount - 1) {
      try spend(&budget, cursor)
      try cursor.skip(try DNSNameDecoder.skip(bytes, at: cursor.offset) - cursor.offset + 4)
    }
    // What a message claims is no reason for much memory; most have no more than this.
    answers.reserveCapacity(min(answerCount, 8))
    for _ in 0..<answerCount {
      try spend(&budget, cursor)
      answers.append(try ResourceRecord(bytes, &cursor, &names))
    }
    for _ in 0..<otherCount {
      try spend(&budget, cursor)
      try cursor.skip(try DNSNameDecoder.skip(bytes, at: cursor.offset) - cursor.offset)
      let type = RecordType(rawValue: try cursor.uint16(bytes))
      try cursor.skip(2)
      let ttl = try cursor.uint32(bytes)
      _ = try cursor.structure16(bytes)
      if type == .opt {
        responseCode = ResponseCode(rawValue: UInt16(ttl >> 24) << 4 | responseCode.rawValue & 0xf)
      }
    }
  }

  private func spend(_ budget: inout Int, _ cursor: ByteCursor) throws(WireError) {
    guard budget > 0 else { throw cursor.malformed(.overLimit) }
    budget -= 1
  }
}

extension ResourceRecord {
  fileprivate init(_ bytes: Span<UInt8>, _ cursor: inout ByteCursor, _ names: inout DNSNameDecoder) throws(WireError) {
    let (name, end) = try names.name(bytes, at: cursor.offset)
    try cursor.skip(end - cursor.offset)
    let type = RecordType(rawValue: try cursor.uint16(bytes))
    let recordClass = RecordClass(rawValue: try cursor.uint16(bytes))
    let ttl = try cursor.uint32(bytes)
    var data = try cursor.structure16(bytes)
    self.init(name: name, type: type, class: recordClass, ttl: ttl, data: .other(data.offset..<data.end))
    guard recordClass == .internet else { return }
    switch type {
    case .a: self.data = .address(IPAddress(v4: try data.uint32(bytes)))
    case .aaaa: self.data = .address(IPAddress(high: try data.uint64(bytes), low: try data.uint64(bytes)))
    case .cname: self.data = .canonicalName(try data.name(bytes, &names))
    case .ptr: self.data = .pointer(try data.name(bytes, &names))
    case .svcb, .https: self.data = .service(try ServiceBinding(bytes, &data, &names))
    default: return
    }
    try data.requireEnd()
  }
}

extension ServiceBinding {
  fileprivate init(_ bytes: Span<UInt8>, _ data: inout ByteCursor, _ names: inout DNSNameDecoder) throws(WireError) {
    self.init(priority: try data.uint16(bytes), target: try data.name(bytes, &names))
    while !data.isAtEnd {
      let key = try data.uint16(bytes)
      var value = try data.structure16(bytes)
      switch key {
      case 1:
        while !value.isAtEnd {
          let item = try value.structure8(bytes)
          alpn.append(item.rest(bytes))
        }
      case 3:
        port = try value.uint16(bytes)
        try value.requireEnd()
      case 4:
        while !value.isAtEnd { addressHints.append(IPAddress(v4: try value.uint32(bytes))) }
      case 5:
        hasECH = true
      case 6:
        while !value.isAtEnd { addressHints.append(IPAddress(high: try value.uint64(bytes), low: try value.uint64(bytes))) }
      default:
        break
      }
    }
  }
}

extension ByteCursor {
  /// A name inside a record's data: its own octets must not run over the end, what a pointer leads to may lie anywhere before.
  fileprivate mutating func name(_ bytes: Span<UInt8>, _ names: inout DNSNameDecoder) throws(WireError) -> DomainName {
    let (name, end) = try names.name(bytes, at: offset)
    try skip(end - offset)
    return name
  }
}

import EgressModel

/// What the pods of a busy node do: look a name up, connect, ask and be answered a few times, close.
struct TrafficModel {
  enum Application: String { case tls, quic, http, tcp }

  private(set) var counts = TrafficCounts()
  private var random: SplitMix64
  private var noise: Noise
  private let population: Population
  /// Ephemeral ports in use per client; both families and transports share them, so that no five-tuple comes twice soon.
  private var ports: [UInt16]

  init(seed: UInt64, sites: Int, clients: Int) {
    random = SplitMix64(seed: seed)
    noise = Noise(seed: random.next())
    population = Population(siteCount: sites, using: &random)
    ports = Array(repeating: 0, count: clients)
  }

  /// The frames of the next flow, in four of five cases with the look-up that leads to it.
  mutating func nextConversation() throws -> Conversation {
    var conversation = Conversation(identification: UInt16(truncatingIfNeeded: random.next()))
    let site = population.site(using: &random)
    let client = random.below(ports.count)
    let v6 = random.chance(0.25)
    let looksUp = random.chance(0.8)
    if looksUp {
      if random.chance(0.15) { lookUp(site, client, v6, searchDomain: true, in: &conversation) }
      lookUp(site, client, v6, searchDomain: false, in: &conversation)
    }
    let application = nextApplication()
    let path = Path(
      client: Population.client(client, v6: v6), server: random.pick(v6 ? site.v6 : site.v4), clientPort: nextPort(client),
      serverPort: serverPort(application))
    let roundTrip = 1_000 + random.exponential(mean: 25_000)
    switch application {
    case .tls: tls(site.name, path, roundTrip, in: &conversation)
    case .quic: try quic(site.name, path, roundTrip, in: &conversation)
    case .http: http(site.name, path, roundTrip, in: &conversation)
    case .tcp: rawTCP(path, roundTrip, in: &conversation)
    }
    counts.add(application, name: site.name, saidOnTheWire: application != .tcp, lookedUp: looksUp)
    return conversation
  }

  private mutating func nextApplication() -> Application {
    switch random.unit() {
    case ..<0.62: .tls
    case ..<0.84: .quic
    case ..<0.94: .http
    default: .tcp
    }
  }

  private mutating func serverPort(_ application: Application) -> UInt16 {
    switch application {
    case .tls, .quic: 443
    case .http: 80
    case .tcp: random.pick([5672, 6379, 9092, 27_017])
    }
  }

  private mutating func nextPort(_ client: Int) -> UInt16 {
    ports[client] = (ports[client] + 1) % 28_000
    return 32_768 + ports[client]
  }

  /// A and AAAA at once from one socket, as getaddrinfo asks.
  private mutating func lookUp(_ site: Population.Site, _ client: Int, _ v6: Bool, searchDomain: Bool, in conversation: inout Conversation) {
    let path = Path(
      client: Population.client(client, v6: v6), server: v6 ? Population.resolverV6 : Population.resolverV4,
      clientPort: nextPort(client), serverPort: 53)
    let name = searchDomain ? "\(site.name).shop.svc.cluster.local" : site.name
    let questions = [(DNSMessage.Question.a, site.v4), (.aaaa, site.v6)].map { (UInt16(truncatingIfNeeded: random.next()), $0.0, $0.1) }
    for (identifier, question, _) in questions {
      conversation.appendUDP(after: 10, path, .outbound, payload: DNSMessage.query(identifier: identifier, name: name, question)[...])
    }
    var delay = 300 + random.exponential(mean: 8_000)
    for (identifier, question, addresses) in questions {
      let answer =
        searchDomain
        ? DNSMessage.noSuchName(identifier: identifier, name: name, question)
        : DNSMessage.answer(identifier: identifier, name: name, question, chain: site.chain, addresses: addresses, timeToLive: 60)
      conversation.appendUDP(after: delay, path, .inbound, payload: answer[...])
      delay = 40
    }
    counts.addLookUp()
  }

  private mutating func hello(_ name: String, _ protocols: [String], quicConnectionID: [UInt8]? = nil) -> (message: [UInt8], postQuantum: Bool) {
    let generation: ClientHello.Generation =
      switch random.unit() {
      case ..<0.5: .postQuantum
      case ..<0.6: quicConnectionID == nil ? .tls12 : .tls13
      default: .tls13
      }
    let hello = ClientHello(serverName: name, generation: generation, applicationProtocols: protocols, quicConnectionID: quicConnectionID)
    return (hello.message(using: &random), generation == .postQuantum)
  }

  private mutating func tls(_ name: String, _ path: Path, _ roundTrip: Double, in conversation: inout Conversation) {
    var connection = TCPConnection(path, roundTrip: roundTrip, using: &random)
    connection.open(in: &conversation, after: 200)
    let hello = hello(name, ["h2", "http/1.1"])
    connection.send(.outbound, TLSRecord.handshake(hello.message, version: 0x0301)[...], in: &conversation, after: 60)
    let serverHello = TLSRecord.handshake(TLSServer.hello(postQuantum: hello.postQuantum, using: &random), version: 0x0303)
    let certificate = TLSRecord.applicationData(count: 1_800 + random.below(2_400), noise: &noise)
    connection.send(.inbound, (serverHello + TLSRecord.changeCipherSpec + certificate)[...], in: &conversation, after: roundTrip)
    let finished = TLSRecord.changeCipherSpec + TLSRecord.applicationData(count: 53, noise: &noise)
    connection.send(.outbound, finished[...], in: &conversation, after: 400)
    for exchange in exchanges(roundTrip) {
      connection.send(.outbound, TLSRecord.applicationData(count: exchange.request, noise: &noise)[...], in: &conversation, after: exchange.pause)
      connection.send(.inbound, TLSRecord.applicationData(count: exchange.response, noise: &noise)[...], in: &conversation, after: exchange.wait)
    }
    connection.close(in: &conversation, after: 1_000)
  }

  private mutating func http(_ name: String, _ path: Path, _ roundTrip: Double, in conversation: inout Conversation) {
    var connection = TCPConnection(path, roundTrip: roundTrip, using: &random)
    connection.open(in: &conversation, after: 200)
    for exchange in exchanges(roundTrip) {
      let request = "GET /v1/items/\(random.below(1_000_000)) HTTP/1.1\r\nHost: \(name)\r\nUser-Agent: shop/2.1\r\nAccept: */*\r\n\r\n"
      connection.send(.outbound, Array(request.utf8)[...], in: &conversation, after: exchange.pause)
      let head = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: \(exchange.response)\r\n\r\n"
      connection.send(.inbound, (Array(head.utf8) + noise.slice(exchange.response))[...], in: &conversation, after: exchange.wait)
    }
    connection.close(in: &conversation, after: 1_000)
  }

  private mutating func rawTCP(_ path: Path, _ roundTrip: Double, in conversation: inout Conversation) {
    var connection = TCPConnection(path, roundTrip: roundTrip, using: &random)
    connection.open(in: &conversation, after: 200)
    for exchange in exchanges(roundTrip) {
      connection.send(.outbound, noise.slice(exchange.request), in: &conversation, after: exchange.pause)
      connection.send(.inbound, noise.slice(exchange.response), in: &conversation, after: exchange.wait)
    }
    connection.close(in: &conversation, after: 1_000)
  }

  private mutating func quic(_ name: String, _ path: Path, _ roundTrip: Double, in conversation: inout Conversation) throws {
    let original = random.bytes(8)
    let server = random.bytes(8)
    let size = path.client.isV4 ? 1_250 : 1_230
    let hello = hello(name, ["h3"], quicConnectionID: []).message
    let client = QUICInitial(sender: .client, originalDestination: original)
    let room = size - 60
    for (number, start) in stride(from: 0, to: hello.count, by: room).enumerated() {
      let crypto = QUICInitial.cryptoFrame(offset: start, hello[start..<min(start + room, hello.count)])
      let packet = try client.packet(destination: original, source: [], number: UInt8(number + 1), frames: crypto, size: size)
      conversation.appendUDP(after: 150, path, .outbound, payload: packet[...])
    }
    let serverHello = TLSServer.hello(postQuantum: false, using: &random)
    let acknowledgment: [UInt8] = [2, 1, 0, 0, 0]
    let answer = try QUICInitial(sender: .server, originalDestination: original).packet(
      destination: [], source: server, number: 1, frames: acknowledgment + QUICInitial.cryptoFrame(offset: 0, serverHello[...]), size: size)
    conversation.appendUDP(after: roundTrip, path, .inbound, payload: answer[...])
    for exchange in exchanges(roundTrip) {
      oneRTT(.outbound, server, exchange.request, path, in: &conversation, after: exchange.pause)
      var delay = exchange.wait
      for (index, start) in stride(from: 0, to: exchange.response, by: size - 30).enumerated() {
        oneRTT(.inbound, [], min(size - 30, exchange.response - start), path, in: &conversation, after: delay)
        if index % 4 == 3 { oneRTT(.outbound, server, 25, path, in: &conversation, after: 20) }
        delay = 25
      }
    }
  }

  /// A short-header packet: nothing in it but the connection ID can be told from noise.
  private mutating func oneRTT(
    _ direction: Path.Direction, _ destination: [UInt8], _ count: Int, _ path: Path, in conversation: inout Conversation, after delay: Double
  ) {
    var packet: [UInt8] = [0x40 | UInt8(random.below(64))]
    packet.reserveCapacity(1_300)
    packet.append(contentsOf: destination)
    packet.append(contentsOf: noise.slice(count + 20))
    conversation.appendUDP(after: delay, path, direction, payload: packet[...])
  }

  private struct Exchange {
    var request: Int
    var response: Int
    /// Microseconds before the request, and from it to the answer.
    var pause: Double
    var wait: Double
  }

  private mutating func exchanges(_ roundTrip: Double) -> [Exchange] {
    (0..<1 + Int(random.exponential(mean: 5.2))).map { _ in
      Exchange(
        request: 60 + Int(random.exponential(mean: 250)) % 1_200, response: Int(random.pareto(minimum: 420, maximum: 400_000)),
        pause: random.exponential(mean: 150_000), wait: roundTrip + random.exponential(mean: 10_000))
    }
  }
}

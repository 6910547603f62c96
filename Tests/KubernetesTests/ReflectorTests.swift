import Testing

@testable import Kubernetes

@Suite struct ReflectorTests {
  private static let gone = APIError.refused(path: "/p", status: APIStatus(code: 410, reason: "Expired", message: "too old"), retryAfter: nil)
  private static let away = APIError.unreachable(server: "s", cause: "c")

  @Test func `pages are listed to the last, then watched, and a watch goes on where it ended`() {
    var reflector = Reflector()
    #expect(reflector.resumed == .list(continuation: nil))
    #expect(reflector.received(.page(continuation: "c", version: "7"), random: 0) == .list(continuation: "c"))
    #expect(reflector.received(.page(continuation: nil, version: "7"), random: 0) == .watch(from: "7"))
    reflector.noted(version: "9")
    #expect(reflector.received(.ended(events: 1, lasted: .zero), random: 0) == .watch(from: "9"))
    #expect(reflector.received(.ended(events: 0, lasted: .seconds(300)), random: 0) == .watch(from: "9"))
    #expect(reflector.received(.failed(Self.away), random: 0) == .wait(.milliseconds(500)))
    #expect(reflector.resumed == .watch(from: "9"))
  }

  @Test func `what is too old is listed again at once, but not in a loop`() {
    var reflector = Reflector()
    _ = reflector.received(.page(continuation: nil, version: "7"), random: 0)
    #expect(reflector.received(.failed(Self.gone), random: 0) == .list(continuation: nil))
    _ = reflector.received(.page(continuation: nil, version: "8"), random: 0)
    #expect(reflector.received(.failed(Self.gone), random: 0) == .wait(.milliseconds(500)))
    #expect(reflector.resumed == .list(continuation: nil))
    _ = reflector.received(.page(continuation: nil, version: "9"), random: 0)
    reflector.noted(version: "10")
    #expect(reflector.received(.failed(Self.gone), random: 0) == .list(continuation: nil))
  }

  @Test func `waits double to a minute, with jitter, and end with a success`() {
    var reflector = Reflector()
    var waits: [Reflector.Step] = []
    for _ in 0..<10 { waits.append(reflector.received(.failed(Self.away), random: 0)) }
    #expect(waits == [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000, 30000].map { .wait(.milliseconds($0)) })
    #expect(reflector.received(.failed(Self.away), random: 0.999999) == .wait(.milliseconds(59_999)))
    _ = reflector.received(.page(continuation: nil, version: "7"), random: 0)
    #expect(reflector.received(.failed(Self.away), random: 0) == .wait(.milliseconds(500)))
  }

  @Test func `a server that asks for patience gets it, and one that hangs up at once is not asked in a loop`() {
    var reflector = Reflector()
    let busy = APIError.refused(path: "/p", status: APIStatus(code: 429, message: ""), retryAfter: 7)
    #expect(reflector.received(.failed(busy), random: 0) == .wait(.seconds(7)))
    _ = reflector.received(.page(continuation: nil, version: "7"), random: 0)
    #expect(reflector.received(.ended(events: 0, lasted: .milliseconds(3)), random: 0) == .wait(.milliseconds(500)))
    #expect(reflector.received(.ended(events: 0, lasted: .milliseconds(3)), random: 0) == .wait(.milliseconds(1000)))
  }

  @Test func `after many failures the version itself is given up`() {
    var reflector = Reflector()
    _ = reflector.received(.page(continuation: nil, version: "7"), random: 0)
    for _ in 0..<4 { _ = reflector.received(.failed(Self.away), random: 0) }
    #expect(reflector.resumed == .watch(from: "7"))
    _ = reflector.received(.failed(Self.away), random: 0)
    #expect(reflector.resumed == .list(continuation: nil))
  }
}

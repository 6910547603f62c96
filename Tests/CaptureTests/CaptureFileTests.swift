import Capture
import EgressModel
import Glibc
import Testing

@Suite struct CaptureFileTests {
  struct Seen: Equatable {
    var octets: [UInt8]
    var time: Timestamp
    var length: Int
  }

  /// Every frame, and what came after them: nil is a clean end.
  static func read(_ path: String, batch: Int = 64) throws(CaptureError) -> (frames: [Seen], end: CaptureError?) {
    let source = try PacketSource(file: path)
    var frames: [Seen] = []
    do {
      while true {
        let before = frames.count
        let outcome = try source.read(atMost: batch) { octets, time, length in
          frames.append(Seen(octets: octets.indices.map { octets[$0] }, time: time, length: length))
        }
        switch outcome {
        case .frames(let count): #expect(count == frames.count - before && count > 0)
        case .idle: Issue.record("a file is never idle")
        case .endOfFile:
          #expect(frames.count == before)
          #expect(source.statistics.delivered == UInt64(frames.count))
          return (frames, nil)
        }
      }
    } catch {
      #expect(source.statistics.delivered == UInt64(frames.count))
      #expect(throws: error) { try source.read(atMost: 1) { _, _, _ in } }
      return (frames, error)
    }
  }

  static let octets = [UInt8](0..<61)
  static let expected: [Seen] = [
    Seen(octets: octets, time: Timestamp(nanoseconds: 1_700_000_000_000_007_000), length: 61),
    Seen(octets: [1, 2, 3], time: Timestamp(nanoseconds: 1_700_000_000_000_008_000), length: 1500),
    Seen(octets: [], time: Timestamp(nanoseconds: 1_700_000_001_000_000_000), length: 60),
  ]
  static func frames(nanoseconds: Bool) -> [CaptureBytes.Frame] {
    let unit: UInt32 = nanoseconds ? 1000 : 1
    return [
      .init(fraction: 7 * unit, octets: octets), .init(fraction: 8 * unit, octets: [1, 2, 3], wire: 1500),
      .init(seconds: 1_700_000_001, fraction: 0, octets: [], wire: 60),
    ]
  }

  @Test(arguments: [(false, false), (false, true), (true, false), (true, true)])
  func `a pcap file of either precision and byte order gives the same frames`(nanoseconds: Bool, bigEndian: Bool) throws {
    let file = TemporaryFile(CaptureBytes.pcap(Self.frames(nanoseconds: nanoseconds), nanoseconds: nanoseconds, bigEndian: bigEndian))
    for batch in [1, 2, 64, .max] {
      let (frames, end) = try Self.read(file.path, batch: batch)
      #expect(frames == Self.expected)
      #expect(end == nil)
    }
  }

  @Test(arguments: [(6, false), (6, true), (9, false), (9, true)])
  func `a pcapng file of either precision and byte order gives the same frames`(resolution: UInt8, bigEndian: Bool) throws {
    let frames = Self.frames(nanoseconds: resolution == 9).map { (interface: UInt32(0), $0) }
    let file = TemporaryFile(CaptureBytes.pcapng([.init(resolution: resolution)], frames, bigEndian: bigEndian))
    let (seen, end) = try Self.read(file.path)
    #expect(seen == Self.expected)
    #expect(end == nil)
  }

  @Test func `nanoseconds are kept to the last digit`() throws {
    let file = TemporaryFile(CaptureBytes.pcap([.init(seconds: 1, fraction: 999_999_999, octets: [0])], nanoseconds: true))
    #expect(try Self.read(file.path).frames.first?.time == Timestamp(nanoseconds: 1_999_999_999))
  }

  static let linkTypes: [(UInt32, LinkType)] = [
    (1, .ethernet), (0, .null), (108, .loop), (113, .linuxSLL), (276, .linuxSLL2), (101, .raw), (228, .ipv4), (229, .ipv6), (9, .ppp), (10, .fddi),
    (50, .pppSerial), (51, .pppEthernet), (104, .ciscoHDLC), (105, .wifi), (127, .radiotap), (219, .mpls), (239, .nflog),
  ]

  @Test(arguments: linkTypes)
  func `every decodable link type is accepted`(inFile: UInt32, expected: LinkType) throws {
    let file = TemporaryFile(CaptureBytes.pcap([], linkType: inFile))
    let source = try PacketSource(file: file.path)
    #expect(source.linkType == expected)
  }

  @Test func `another link type is refused with its name and the supported ones`() {
    let file = TemporaryFile(CaptureBytes.pcap([], linkType: 195))
    let error = #expect(throws: CaptureError.self) { try PacketSource(file: file.path) }
    #expect(error == .unsupportedLinkType(source: file.path, linkType: LinkType(rawValue: 195), name: "IEEE802_15_4"))
    #expect("\(error!)".contains("EN10MB, LINUX_SLL, LINUX_SLL2"))
  }

  @Test func `a pcap file cut at any octet gives its whole frames and then says where it ends`() throws {
    let whole = CaptureBytes.pcap(Self.frames(nanoseconds: false))
    // Header 24, records 16 + 61, 16 + 3, 16 + 0.
    let ends = [24, 101, 120, 136]
    for count in 0...whole.count {
      let file = TemporaryFile(Array(whole[..<count]))
      if count < 24 {
        let error = #expect(throws: CaptureError.self) { try PacketSource(file: file.path) }
        switch error {
        case .emptyFile: #expect(count == 0)
        case .endsEarly(_, 0, _): #expect((1..<24).contains(count))
        default: Issue.record("\(count): \(String(describing: error))")
        }
        continue
      }
      let (frames, end) = try Self.read(file.path)
      #expect(frames == Array(Self.expected.prefix(ends.count { $0 <= count } - 1)), "\(count)")
      if ends.contains(count) {
        #expect(end == nil)
      } else if case .endsEarly(file.path, let told, _) = end {
        #expect(told == UInt64(frames.count))
      } else {
        Issue.record("\(count): \(String(describing: end))")
      }
    }
  }

  @Test func `a pcapng file cut at any octet gives a prefix of its frames and then an error or a clean end`() throws {
    let whole = CaptureBytes.pcapng([.init()], Self.frames(nanoseconds: true).map { (interface: 0, $0) })
    var cleanEnds = 0
    for count in 1...whole.count {
      let file = TemporaryFile(Array(whole[..<count]))
      do {
        let (frames, end) = try Self.read(file.path)
        #expect(frames == Array(Self.expected.prefix(frames.count)))
        if end == nil { cleanEnds += 1 }
      } catch {
        #expect(count < 28 + 32, "\(count): \(error)")
      }
    }
    // After the interface and after each of the three frames.
    #expect(cleanEnds == 4)
  }

  @Test func `any single changed octet gives frames or an error, never a crash`() {
    let pcapng = CaptureBytes.pcapng([.init()], Self.frames(nanoseconds: true).map { (interface: 0, $0) })
    for whole in [CaptureBytes.pcap(Self.frames(nanoseconds: false)), pcapng] {
      var opened = 0
      for index in whole.indices {
        for value: UInt8 in [0, 0x7f, 0xff] {
          var changed = whole
          changed[index] = value
          let file = TemporaryFile(changed)
          if let (frames, _) = try? Self.read(file.path) {
            #expect(frames.count <= 3)
            opened += 1
          }
        }
      }
      #expect(opened > whole.count)
    }
  }

  @Test(arguments: [
    CaptureBytes.Interface(linkType: 101), CaptureBytes.Interface(snapLength: 96),
  ])
  func `interfaces that libpcap cannot read together end the file after the frames before`(second: CaptureBytes.Interface) throws {
    var octets = CaptureBytes.pcapng([.init()], [(0, .init(fraction: 1, octets: [1, 2, 3, 4]))])
    // The second interface is described after the first frame, without the section header of its own (28 octets).
    octets += CaptureBytes.pcapng([second], []).dropFirst(28)
    let file = TemporaryFile(octets)
    let (frames, end) = try Self.read(file.path)
    #expect(frames.count == 1)
    guard case .mixedInterfaces(file.path, 1, _) = end else {
      Issue.record("\(String(describing: end))")
      return
    }
    #expect("\(end!)".contains("tshark -r \(file.path)"))
  }

  @Test func `what is no capture is told apart`() throws {
    func error(_ path: String) -> CaptureError? { #expect(throws: CaptureError.self) { try PacketSource(file: path) } }
    #expect(error("/dev/null") == .emptyFile(path: "/dev/null"))
    #expect(error("/tmp") == .directory(path: "/tmp"))
    #expect(error("/nowhere/x.pcap") == .unreadableFile(path: "/nowhere/x.pcap", cause: "No such file or directory"))
    let text = TemporaryFile(Array("apiVersion: v1\nkind: Pod\n".utf8))
    #expect(error(text.path) == .notACapture(path: text.path, compressed: false))
    let gzip = TemporaryFile([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
    #expect(error(gzip.path) == .notACapture(path: gzip.path, compressed: true))
    #expect("\(error("/nowhere/x.pcap")!)" == "cannot read /nowhere/x.pcap: No such file or directory (check the path and its permissions)")
  }

  @Test func `a record that claims more than any frame can have is corrupt, and what came before is kept`() throws {
    var octets = CaptureBytes.pcap([.init(fraction: 1, octets: [1, 2, 3, 4])])
    octets += [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f]
    let file = TemporaryFile(octets)
    let (frames, end) = try Self.read(file.path)
    #expect(frames.count == 1)
    guard case .corruptFile(file.path, 1, _) = end else {
      Issue.record("\(String(describing: end))")
      return
    }
  }
}

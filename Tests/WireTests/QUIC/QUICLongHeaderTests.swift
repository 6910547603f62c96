import Testing
import Wire

@Suite struct QUICLongHeaderTests {
  private func decode(_ bytes: [UInt8]) throws(WireError) -> QUICLongHeader { try QUICLongHeader(decoding: bytes.span) }

  /// Version 1: an Initial with both IDs, a token of 2 octets and 20 octets behind the length.
  private let initial =
    [0xc3] + Octets.u32(1) + Octets.block8([1, 2, 3, 4, 5, 6, 7, 8]) + Octets.block8([9, 9]) + Octets.block8([7, 7]) + [20]
    + [UInt8](repeating: 0xaa, count: 20)

  @Test func `an Initial shows its version, IDs, token and extent`() throws {
    let header = try decode(initial + [0xc0, 1])
    #expect(header.version == .v1)
    #expect(header.type == .initial)
    #expect(header.destinationConnectionID == 6..<14)
    #expect(header.sourceConnectionID == 15..<17)
    #expect(header.token == 18..<20)
    #expect(header.protected == 21..<41)
    #expect(!header.isCut)
  }

  @Test func `every prefix is truncated in the header and cut in the payload`() throws {
    for count in 0..<initial.count {
      do throws(WireError) {
        let header = try decode([UInt8](initial.prefix(count)))
        #expect(count >= 21 && header.isCut && header.protected == 21..<count, "\(count) octets")
      } catch {
        #expect(count < 21 && error.isTruncation, "\(count) octets: \(error)")
      }
    }
  }

  @Test(arguments: [
    (1, 0xc0, QUICLongHeader.PacketType.initial), (1, 0xd0, .zeroRTT), (1, 0xe0, .handshake), (1, 0xf0, .retry), (0x6b33_43cf, 0xd0, .initial),
    (0x6b33_43cf, 0xe0, .zeroRTT), (0x6b33_43cf, 0xf0, .handshake), (0x6b33_43cf, 0xc0, .retry), (0xff00_001d, 0xc0, .initial),
    (0, 0xc0, .versionNegotiation), (0x1a2a_3a4a, 0xc0, .unknown), (0x5130_3433, 0xc0, .unknown),
  ])
  func `the type's bits mean what the version says`(version: Int, first: Int, type: QUICLongHeader.PacketType) throws {
    let header = try decode(Octets.u8(first) + Octets.u32(version) + Octets.block8([UInt8](repeating: 1, count: 8)) + [0, 0, 4, 1, 2, 3, 4])
    #expect(header.type == type)
    #expect(header.version.rawValue == UInt32(version))
  }

  @Test(arguments: [(20, true), (21, false)])
  func `a connection ID of version 1 has up to 20 octets`(count: Int, isRead: Bool) {
    let bytes = [0xc0] + Octets.u32(1) + Octets.block8([UInt8](repeating: 1, count: count)) + [0, 0, 4, 1, 2, 3, 4]
    #expect(((try? decode(bytes)) != nil) == isRead)
  }

  @Test func `a token that is longer than the datagram is truncated`() {
    let bytes = [0xc0] + Octets.u32(1) + [0, 0] + [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
    do throws(WireError) {
      let header = try decode(bytes)
      Issue.record("\(header)")
    } catch {
      #expect(error.isTruncation)
    }
  }
}

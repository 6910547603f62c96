/// The headers around the innermost IP packet, outermost first. A number, so that a packet that has none pays nothing for it.
public struct Encapsulation: Hashable, Sendable {
  /// One header, or one stack of labels. The raw values are ours.
  public enum Layer: UInt8, CaseIterable, Sendable {
    case ppp = 1
    case pppoe
    case mpls
    case gre
    case erspan
    case ipip
    case fourInSix
    case sixInFour
    case sixInSix
    case vxlan
    case geneve
    case gtpu
    case teredo
    case l2tp
    case pbb
    case wifi

    /// What a record calls it.
    public var name: String {
      switch self {
      case .fourInSix: "4in6"
      case .sixInFour: "6in4"
      case .sixInSix: "6in6"
      case .ppp: "ppp"
      case .pppoe: "pppoe"
      case .mpls: "mpls"
      case .gre: "gre"
      case .erspan: "erspan"
      case .ipip: "ipip"
      case .vxlan: "vxlan"
      case .geneve: "geneve"
      case .gtpu: "gtp-u"
      case .teredo: "teredo"
      case .l2tp: "l2tp"
      case .pbb: "pbb"
      case .wifi: "802.11"
      }
    }
  }

  /// Deeper nesting is not followed: what is inside is then the payload of the last header.
  public static let maximumLayers = 12
  private static let bitsPerLayer = 5

  /// The innermost layer in the lowest five bits.
  private var bits: UInt64 = 0

  public init() {}

  public var isEmpty: Bool { bits == 0 }

  public var isFull: Bool {
    UInt64.bitWidth - bits.leadingZeroBitCount > Self.bitsPerLayer * (Self.maximumLayers - 1)
  }

  /// Adds a layer inside the others; false when there are too many.
  public mutating func append(_ layer: Layer) -> Bool {
    guard !isFull else { return false }
    bits = bits << UInt64(Self.bitsPerLayer) | UInt64(layer.rawValue)
    return true
  }

  public var layers: [Layer] {
    var layers: [Layer] = []
    var rest = bits
    while rest != 0 {
      if let layer = Layer(rawValue: UInt8(rest & 31)) { layers.insert(layer, at: 0) }
      rest >>= UInt64(Self.bitsPerLayer)
    }
    return layers
  }
}

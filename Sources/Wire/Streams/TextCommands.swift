import EgressModel

/// Protocols whose client speaks in lines: SMTP, IMAP, POP3, NNTP, FTP and ManageSieve, up to where they go on with TLS.
///
/// STARTTLS ([RFC 3207](https://www.rfc-editor.org/rfc/rfc3207), [RFC 9051 §6.2.1](https://www.rfc-editor.org/rfc/rfc9051#section-6.2.1),
/// [RFC 4642](https://www.rfc-editor.org/rfc/rfc4642), [RFC 5804 §2.2](https://www.rfc-editor.org/rfc/rfc5804#section-2.2)), STLS
/// ([RFC 2595](https://www.rfc-editor.org/rfc/rfc2595)) and AUTH TLS ([RFC 4217](https://www.rfc-editor.org/rfc/rfc4217)).
enum TextCommands {
  /// Octets of a line that are read.
  static let maximumLineLength = 1_024
  /// Lines that are read; a client upgrades within the first few.
  static let maximumLineCount = 16

  private enum Command {
    /// Goes before an upgrade; of one protocol, or of several.
    case before(Application?)
    case upgrade(Application?)
    /// The last that is of interest.
    case last(Application)
  }

  static func opening(of bytes: Span<UInt8>, isComplete: Bool) -> StreamResult<StreamOpening> {
    guard bytes.count > 0 else { return .needMore(atLeast: 1) }
    switch bytes[0] {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): break
    default: return .other(.notCommand)
    }
    var application: Application?
    var start = 0
    for _ in 0..<maximumLineCount {
      guard let end = lineEnd(bytes, from: start) else { return conclusion(application) }
      guard end < bytes.count else { return isComplete ? conclusion(application) : .needMore(atLeast: bytes.count + 1) }
      switch command(bytes, in: start..<end) {
      case .before(let known): application = application ?? known
      case .upgrade(let known): return .found(StreamOpening(application ?? known, byteCount: end + 1))
      case .last(let known): return .found(StreamOpening(application ?? known))
      case nil: return conclusion(application)
      }
      start = end + 1
    }
    return conclusion(application)
  }

  private static func conclusion(_ application: Application?) -> StreamResult<StreamOpening> {
    application.map { .found(StreamOpening($0)) } ?? .other(.notCommand)
  }

  /// Where the line's LF is, or the count when it is not there yet; nil when this is no line of text.
  private static func lineEnd(_ bytes: Span<UInt8>, from start: Int) -> Int? {
    for index in start..<bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\n"): return index
      case UInt8(ascii: "\r"), UInt8(ascii: "\t"), 0x20...0x7e, 0x80...0xff: guard index - start < maximumLineLength else { return nil }
      default: return nil
      }
    }
    return bytes.count
  }

  private static func command(_ bytes: Span<UInt8>, in line: Range<Int>) -> Command? {
    let text = String(decoding: [UInt8](copying: bytes, in: line), as: UTF8.self).uppercased()
    let words = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true).map { $0.filter { $0 != "\r" && $0 != "\r\n" } }
    let argument = words.count > 1 ? words[1] : nil
    switch words.first {
    case "EHLO", "HELO", "LHLO": return .before(.smtp)
    case "RSET", "NOOP", "HELP", "USER", "LANG", "UTF8": return .before(nil)
    case "STARTTLS": return argument == nil ? .upgrade(nil) : nil
    case "CAPA": return .before(.pop3)
    case "STLS": return .upgrade(.pop3)
    case "FEAT", "SYST", "CLNT", "OPTS", "HOST": return .before(.ftp)
    case "AUTH":
      switch argument {
      case "TLS", "SSL", "TLS-C", "TLS-P": return .upgrade(.ftp)
      // POP3: which ways to log in are there?
      case nil: return .before(nil)
      default: return nil
      }
    case "CAPABILITIES": return .before(.nntp)
    case "MODE": return argument == "READER" ? .before(.nntp) : nil
    case "CAPABILITY": return .before(.sieve)
    case let tag?:
      guard tag.utf8.count <= 32, tag.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || $0 == 0x2e }) else { return nil }
      switch argument {
      case "CAPABILITY", "ID", "NOOP", "ENABLE": return .before(.imap)
      case "STARTTLS": return .upgrade(.imap)
      case "LOGIN", "AUTHENTICATE": return .last(.imap)
      default: return nil
      }
    case nil: return nil
    }
  }
}

extension WireError.Reason {
  static let notCommand = Self(rawValue: "not a command of a protocol in lines")
}

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
  /// The longest word that can be a command or a tag, in octets.
  static let maximumWordLength = 32

  private enum Command {
    /// May go before an upgrade; of one protocol, or of several.
    case before(Application?)
    case upgrade(Application?)
    /// What follows are no more commands, or none at all.
    case end
  }

  static func opening(of bytes: Span<UInt8>, isComplete: Bool) -> StreamResult<StreamOpening> {
    guard bytes.count > 0 else { return .needMore(atLeast: 1) }
    guard isTag(bytes[0]) else { return .other(.notCommand) }
    var application: Application?
    var start = 0
    for _ in 0..<maximumLineCount {
      guard let end = lineEnd(bytes, from: start) else { return conclusion(application) }
      guard end < bytes.count else {
        if application == nil, bytes.count > maximumWordLength, wordEnd(bytes, in: 0..<bytes.count) > maximumWordLength { return .other(.notCommand) }
        return isComplete ? conclusion(application) : .needMore(atLeast: bytes.count + 1)
      }
      switch command(bytes, in: start..<end) {
      case .before(let known): application = application ?? known
      case .upgrade(let known): return .found(StreamOpening(application ?? known, byteCount: end + 1))
      case .end: return conclusion(application)
      // Once the protocol is known, so is that lines follow: a log-in that is refused, whatever else a client asks for first.
      case nil: if application == nil { return .other(.notCommand) }
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

  private static func wordEnd(_ bytes: Span<UInt8>, in range: Range<Int>) -> Int {
    for index in range {
      switch bytes[index] {
      case UInt8(ascii: " "), UInt8(ascii: "\r"), UInt8(ascii: "\n"): return index
      default: break
      }
    }
    return range.upperBound
  }

  /// The next word of a line, in capitals; empty when it is longer than any that is known. Called for every line again with every segment, so no more
  /// than that is looked at.
  private static func word(_ bytes: Span<UInt8>, in line: inout Range<Int>) -> String? {
    var start = line.lowerBound
    while start < line.upperBound, bytes[start] == UInt8(ascii: " ") { start += 1 }
    let end = wordEnd(bytes, in: start..<line.upperBound)
    line = end..<line.upperBound
    guard start < end else { return nil }
    guard end - start <= maximumWordLength else { return "" }
    return String(decoding: [UInt8](copying: bytes, in: start..<end), as: UTF8.self).uppercased()
  }

  private static func command(_ bytes: Span<UInt8>, in line: Range<Int>) -> Command? {
    var line = line
    guard let name = word(bytes, in: &line) else { return nil }
    let argument = word(bytes, in: &line)
    switch name {
    case "EHLO", "HELO", "LHLO": return .before(.smtp)
    case "RSET", "NOOP", "HELP", "USER", "PASS", "LANG", "UTF8": return .before(nil)
    case "STARTTLS": return argument == nil ? .upgrade(nil) : nil
    case "CAPA", "APOP", "STAT", "UIDL": return .before(.pop3)
    case "STLS": return .upgrade(.pop3)
    case "FEAT", "SYST", "CLNT", "OPTS", "HOST", "PWD", "XPWD", "CWD", "TYPE", "PASV", "EPSV": return .before(.ftp)
    case "AUTH":
      switch argument {
      case "TLS", "SSL", "TLS-C", "TLS-P": return .upgrade(.ftp)
      // POP3: which ways to log in are there?
      case nil: return .before(nil)
      default: return nil
      }
    case "DATA", "BDAT", "QUIT": return .end
    case "CAPABILITIES": return .before(.nntp)
    case "MODE": return argument == "READER" ? .before(.nntp) : nil
    case "CAPABILITY": return .before(.sieve)
    default:
      guard !name.isEmpty, name.utf8.allSatisfy(isTag) else { return nil }
      switch argument {
      case "CAPABILITY", "ID", "NOOP", "ENABLE", "LOGIN", "AUTHENTICATE": return .before(.imap)
      case "STARTTLS": return .upgrade(.imap)
      default: return nil
      }
    }
  }

  /// What IMAP's tags are made of ([RFC 9051 §9](https://www.rfc-editor.org/rfc/rfc9051#section-9)); every other command here is, too.
  private static func isTag(_ octet: UInt8) -> Bool {
    switch octet {
    case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "{"), UInt8(ascii: "%"), UInt8(ascii: "*"), UInt8(ascii: "\""), UInt8(ascii: "\\"),
      UInt8(ascii: "+"):
      false
    default: (0x21...0x7e).contains(octet)
    }
  }
}

extension WireError.Reason {
  static let notCommand = Self(rawValue: "not a command of a protocol in lines")
}

import Glibc

/// A file of its own for one test, removed with the value.
final class TemporaryFile {
  let path: String

  init(_ octets: [UInt8]) {
    var template = Array("/tmp/egress-obs-test-XXXXXX".utf8CString)
    let descriptor = unsafe mkstemp(&template)
    precondition(descriptor >= 0)
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    var written = 0
    while written < octets.count {
      let count = unsafe octets[written...].withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
      precondition(count > 0)
      written += count
    }
    close(descriptor)
  }

  deinit { unsafe unlink(path) }
}

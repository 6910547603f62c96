internal import Glibc

/// Small files, most of them in /proc, whose size is not known before they are read.
enum TextFile {
  /// The whole text, invalid UTF-8 repaired; at most `limit` octets of it.
  static func read(_ path: String, limit: Int = 1 << 20) throws(HostError) -> String {
    String(decoding: try FileContents.read(path, limit: limit), as: UTF8.self)
  }

  /// The names in a directory and their inode numbers, without `.` and `..`; empty when it cannot be read.
  static func entries(of path: String, directoriesOnly: Bool = false) -> [(name: String, inode: UInt64)] {
    guard let directory = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(directory) }
    var entries: [(name: String, inode: UInt64)] = []
    while let entry = unsafe readdir(directory) {
      if directoriesOnly, unsafe entry.pointee.d_type != UInt8(DT_DIR) { continue }
      // d_name is NUL-terminated inside the entry (readdir(3)).
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { entries.append((name, unsafe UInt64(entry.pointee.d_ino))) }
    }
    return entries
  }

  /// Where a symbolic link points; nil when it is none or may not be read.
  static func target(of path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 256)
    let count = unsafe readlink(path, &buffer, buffer.count)
    return count < 0 ? nil : String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

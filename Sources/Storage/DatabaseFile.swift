#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// The database's file and what stands beside it.
enum DatabaseFile {
  /// Makes an empty file with mode 0600 where there is none, and its directory (0700) when the one above that exists.
  static func create(_ path: String) throws(StorageError) {
    try refuseDirectory(path)
    let directory = directory(of: path)
    if unsafe access(directory, F_OK) != 0 {
      guard unsafe access(self.directory(of: directory), F_OK) == 0 else { throw .missingDirectory(path: path, directory: directory) }
      guard unsafe mkdir(directory, 0o700) == 0 || errno == EEXIST else { throw error(path) }
    }
    // Only ever created, never opened when it is there: closing a descriptor drops every lock that this process has on the file.
    let descriptor = unsafe open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    if descriptor >= 0 {
      close(descriptor)
      return
    }
    guard errno == EEXIST else { throw error(path) }
    // SQLite would open it for reading, or say no more than "unable to open": the log is a new file beside it.
    for file in [path, directory] where unsafe access(file, W_OK) != 0 {
      throw .readOnly(path: path, cause: file == path ? unsafe String(cString: strerror(errno)) : "\(directory) cannot be written")
    }
  }

  static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// SQLite calls a directory an input/output error.
  static func refuseDirectory(_ path: String) throws(StorageError) {
    var status = stat()
    guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return }
    throw .cannotOpen(path: path, cause: "it is a directory")
  }

  /// Whether it is complete in itself, without a log, on a file system that is mounted read-only.
  static func isFrozen(_ path: String) -> Bool {
    unsafe access(directory(of: path), W_OK) != 0 && errno == EROFS && !exists(path + "-wal")
  }

  /// The path as an [SQLite URI](https://www.sqlite.org/uri.html), to which parameters can be added.
  static func uri(_ path: String) -> String {
    path.utf8.reduce(into: "file:") { uri, octet in
      switch octet {
      case UInt8(ascii: "%"), UInt8(ascii: "?"), UInt8(ascii: "#"), 0x80...: uri += "%" + String(octet, radix: 16)
      default: uri.unicodeScalars.append(UnicodeScalar(octet))
      }
    }
  }

  /// Makes a private directory for a temporary database.
  static func makeTemporaryDirectory(in parent: String) throws(StorageError) -> String {
    var template = Array("\(parent)/egress-obs-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw error("\(parent)/egress-obs-XXXXXX") }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Removes a temporary database with its directory. What cannot be removed is left to the system's own cleaning.
  static func removeTemporary(_ path: String) {
    for file in [path, path + "-journal", path + "-wal", path + "-shm", path + "-lock"] { unsafe unlink(file) }
    unsafe rmdir(directory(of: path))
  }

  static func size(_ path: String) -> UInt64 {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return 0 }
    return UInt64(clamping: status.st_size)
  }

  static func directory(of path: String) -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: true).dropLast()
    let directory = parts.joined(separator: "/")
    guard path.hasPrefix("/") else { return directory.isEmpty ? "." : directory }
    return "/" + directory
  }

  /// `errno` in our words.
  static func error(_ path: String) -> StorageError {
    let number = errno
    let cause = unsafe String(cString: strerror(number))
    return switch number {
    case ENOSPC, EDQUOT: .full(path: path)
    case EROFS: .readOnly(path: path, cause: cause)
    default: .cannotOpen(path: path, cause: cause)
    }
  }
}

/// Held by the one process that records into a database; the kernel lets go of it when the process ends, however it ends.
@safe final class RunLock {
  private let descriptor: Int32

  /// Takes the lock of the database at `path`, which lies in a file of its own: SQLite's locks are on the database's.
  init(_ path: String) throws(StorageError) {
    let file = path + "-lock"
    descriptor = unsafe open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw DatabaseFile.error(file) }
    // Whoever throws from here on is deinitialised, and so the descriptor closed.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let holder = Self.read(descriptor)
      throw .locked(path: path, cause: "another egress-obs\(holder.map { " (process \($0))" } ?? "") records into it")
    }
    Self.write(descriptor)
  }

  deinit { close(descriptor) }

  // The process id is for people; it is the lock that counts.
  private static func write(_ descriptor: Int32) {
    let text = Array("\(getpid())\n".utf8)
    _ = ftruncate(descriptor, 0)
    _ = unsafe text.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
  }

  private static func read(_ descriptor: Int32) -> Int? {
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
    guard count > 0 else { return nil }
    return Int(String(decoding: bytes.prefix(count).prefix { $0 != 0x0a }, as: UTF8.self))
  }
}

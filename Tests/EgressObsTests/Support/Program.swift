import Foundation
import Synchronization

/// A program started by a test: bounded in time, ended by its own pid, its output kept.
final class Program: Sendable {
  struct Outcome: Sendable {
    var status: Int32
    var output: String
    var errors: String
    /// Whether a signal ended it; `status` is then the signal.
    var signalled = false
  }

  struct Failed: Error {
    var command: [String]
    var outcome: Outcome
  }

  let pid: Int32
  private let directory: TemporaryDirectory
  /// What waitpid(2) said; nil while the program runs.
  private let ended = Mutex<Int32?>(nil)

  /// The binary under test, built beside the test bundle.
  static let egressObs: String = {
    let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    var folder = URL(fileURLWithPath: CommandLine.arguments.first { $0.contains(".xctest") } ?? bundle).deletingLastPathComponent()
    for _ in 0..<4 where !FileManager.default.isExecutableFile(atPath: folder.appendingPathComponent("egress-obs").path) {
      folder.deleteLastPathComponent()
    }
    return folder.appendingPathComponent("egress-obs").path
  }()

  /// Starts `arguments[0]`, looked up in PATH, in a process of its own.
  ///
  /// - Parameters:
  ///   - input: a text for standard input, or a file; without either it is empty.
  init(_ arguments: [String], input: String? = nil, inputFile: String? = nil, environment: [String: String] = [:]) throws {
    let directory = try TemporaryDirectory()
    self.directory = directory
    let standardInput = try input.map { try directory.file("in", $0) } ?? inputFile ?? "/dev/null"
    var inherited = ProcessInfo.processInfo.environment
    inherited["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    inherited["NO_COLOR"] = "1"
    pid = try Self.spawn(
      ["/usr/bin/env"] + arguments, environment: inherited.merging(environment) { _, new in new }, input: standardInput,
      output: directory / "out", errors: directory / "err")
  }

  deinit { wait(seconds: 0) }

  var isRunning: Bool { reap(WNOHANG) == nil }
  var outputSoFar: String { (try? String(contentsOfFile: directory / "out", encoding: .utf8)) ?? "" }
  var errorsSoFar: String { (try? String(contentsOfFile: directory / "err", encoding: .utf8)) ?? "" }

  func signal(_ number: Int32) {
    // Under the lock, so that the pid is still this program's.
    ended.withLock { status in if status == nil { kill(pid, number) } }
  }

  /// Waits for the end, at most `seconds`; then the program is killed, and the outcome says so by its signal.
  @discardableResult func wait(seconds: Double = 60) -> Outcome {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while isRunning, Date() < deadline { usleep(5_000) }
    if isRunning { signal(SIGKILL) }
    let status = reap(0) ?? 0
    let signal = status & 0x7f
    return Outcome(status: signal == 0 ? status >> 8 & 0xff : signal, output: outputSoFar, errors: errorsSoFar, signalled: signal != 0)
  }

  /// Ends it as a service manager does, and waits.
  @discardableResult func stop(seconds: Double = 30) -> Outcome {
    signal(SIGTERM)
    return wait(seconds: seconds)
  }

  /// Ends it as nothing can be prepared for, and waits.
  func crash() {
    signal(SIGKILL)
    wait()
  }

  /// Runs the binary under test to its end.
  static func egressObs(_ arguments: String..., input: String? = nil, environment: [String: String] = [:]) throws -> Outcome {
    try Program([egressObs] + arguments, input: input, environment: environment).wait()
  }

  static func egressObs(_ arguments: [String], input: String? = nil, inputFile: String? = nil) throws -> Outcome {
    try Program([egressObs] + arguments, input: input, inputFile: inputFile).wait()
  }

  /// Runs any program to its end and throws when it fails.
  @discardableResult static func run(_ arguments: String..., input: String? = nil) throws -> String {
    let outcome = try Program(arguments, input: input).wait()
    guard outcome.status == 0, !outcome.signalled else { throw Failed(command: arguments, outcome: outcome) }
    return outcome.output
  }

  private func reap(_ options: Int32) -> Int32? {
    ended.withLock { ended in
      if ended == nil {
        var status: Int32 = 0
        if unsafe waitpid(pid, &status, options) == pid { ended = status }
      }
      return ended
    }
  }

  /// Foundation's own way would hand down the signals that the threads of tests block; a child that cannot be told to end is no daemon.
  private static func spawn(
    _ arguments: [String], environment: [String: String], input: String, output: String, errors: String
  ) throws -> Int32 {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    unsafe posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    var all = sigset_t()
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var words = unsafe arguments.map { unsafe strdup($0) } + [nil]
    var variables = unsafe environment.map { unsafe strdup("\($0)=\($1)") } + [nil]
    defer { for unsafe pointer in unsafe words + variables { unsafe free(pointer) } }
    var pid: Int32 = 0
    let result = unsafe posix_spawn(&pid, arguments[0], &actions, &attributes, &words, &variables)
    guard result == 0 else { throw POSIXError(POSIXErrorCode(rawValue: result) ?? .EINVAL) }
    return pid
  }
}

/// Looks at a condition until it holds; false when it did not within `seconds`.
func eventually(within seconds: Double = 30, _ condition: () throws -> Bool) rethrows -> Bool {
  let deadline = Date(timeIntervalSinceNow: seconds)
  while Date() < deadline {
    if try condition() { return true }
    usleep(50_000)
  }
  return try condition()
}

/// A directory that goes away with its last reference.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("egress-obs-test-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String, _ text: String) throws -> String {
    let file = path + "/" + name
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    return file
  }

  /// A program in the file's first line's language.
  func script(_ name: String, _ text: String) throws -> String {
    let file = try file(name, text)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
    return file
  }

  static func / (directory: TemporaryDirectory, name: String) -> String { directory.path + "/" + name }
}

/// A small file system of its own, in memory, that goes away with its last reference.
final class SmallDisk: Sendable {
  let path: String
  private let directory: TemporaryDirectory
  static let isPossible = getuid() == 0

  init(_ size: String) throws {
    directory = try TemporaryDirectory()
    path = directory / "disk"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    try Program.run("mount", "-t", "tmpfs", "-o", "size=\(size)", "egress-obs-test", path)
  }

  deinit { _ = try? Program.run("umount", "--lazy", path) }

  func makeReadOnly() throws { try Program.run("mount", "-o", "remount,ro", path) }

  static func / (disk: SmallDisk, name: String) -> String { disk.path + "/" + name }
}

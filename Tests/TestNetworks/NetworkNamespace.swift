public import Foundation
internal import Glibc

// Swift's Glibc module leaves <sched.h>'s GNU part out, so the function is looked up by name; its type is setns(2)'s.
private let setns = unsafe unsafeBitCast(dlsym(nil, "setns"), to: (@convention(c) (Int32, Int32) -> Int32).self)
private let newNetwork: Int32 = 0x4000_0000  // CLONE_NEWNET

/// A network namespace of its own for one test, with loopback up; removed, with everything in it, with the object.
public final class NetworkNamespace: Sendable {
  public struct CommandFailed: Error, CustomStringConvertible {
    public let description: String
  }

  public let name: String

  /// Tests need root and iproute2 to make one; where this is false they are skipped.
  public static let isAvailable = unsafe geteuid() == 0 && access("/usr/sbin/ip", X_OK) == 0

  public init() throws {
    name = "eo-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    try Self.run(["/usr/sbin/ip", "netns", "add", name])
    try run("/usr/sbin/ip", "link", "set", "lo", "up")
    // No router solicitations and no duplicate address detection: a silent link is silent.
    try run("/usr/sbin/ip", "-6", "addr", "flush", "dev", "lo")
  }

  deinit { _ = try? Self.run(["/usr/sbin/ip", "netns", "del", name]) }

  /// Runs a program inside to its end and returns what it printed.
  @discardableResult public func run(_ command: String...) throws -> String {
    try Self.run(["/usr/sbin/ip", "netns", "exec", name] + command)
  }

  /// Starts a program inside; the caller ends it.
  public func start(_ command: String..., output: Any? = FileHandle.nullDevice) throws -> Process {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/sbin/ip")
    process.arguments = ["netns", "exec", name] + command
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Joins this namespace to another by a veth pair, both ends up and with the given addresses (`10.99.0.1/24`).
  public func connect(_ interface: String, _ address: String, to other: NetworkNamespace, _ otherInterface: String, _ otherAddress: String) throws {
    try run("/usr/sbin/ip", "link", "add", interface, "type", "veth", "peer", "name", otherInterface, "netns", other.name)
    for (space, interface, address) in [(self, interface, address), (other, otherInterface, otherAddress)] {
      try space.run("/usr/sbin/ip", "link", "set", interface, "addrgenmode", "none")
      try space.run("/usr/sbin/ip", "addr", "add", address, "dev", interface, "nodad")
      try space.run("/usr/sbin/ip", "link", "set", interface, "up")
    }
  }

  /// Runs `body` on a thread of its own inside this namespace. Sockets made there stay there.
  public func perform<Result>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
    // The semaphore orders the one write before the one read.
    nonisolated(unsafe) var outcome: Swift.Result<Result, any Error>?
    // Let go of when it is done: the thread object, and with it what it captured, may outlive the test.
    nonisolated(unsafe) var work: (@Sendable () throws -> Result)? = body
    let path = "/var/run/netns/\(name)"
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
      let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
      if descriptor >= 0, setns(descriptor, newNetwork) == 0 {
        unsafe outcome = Swift.Result { try unsafe work!() }
      } else {
        unsafe outcome = .failure(CommandFailed(description: "setns \(path): \(String(cString: strerror(errno)))"))
      }
      close(descriptor)
      unsafe work = nil
      done.signal()
    }
    thread.start()
    done.wait()
    return try unsafe outcome!.get()
  }

  @discardableResult private static func run(_ command: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: command[0])
    process.arguments = Array(command.dropFirst())
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw CommandFailed(description: "\(command.joined(separator: " ")): \(process.terminationStatus) \(text)")
    }
    return text
  }
}

import CLibFuzzer
import Foundation

/// `fuzz --target=NAME [LIBFUZZER'S OPTIONS] DIRECTORY…` runs a target until it is stopped or something traps; `fuzz --seeds=DIRECTORY [CAPTURE…]` writes
/// first inputs for every target, ours and those that captures hold. `scripts/fuzz` is the way to call both.
///
/// libFuzzer passes over options that begin with two hyphens, and hands them to the processes that it starts itself.
@main struct Fuzz {
  static func main() {
    let arguments = CommandLine.arguments.dropFirst()
    if let directory = value(of: "seeds", in: arguments) {
      do {
        let seeds = try OwnSeeds.all + CapturedSeeds.read(arguments.filter { !$0.hasPrefix("-") })
        print("\(try SeedDirectory.write(seeds, to: directory)) seeds")
      } catch {
        fail("cannot make seeds: \(error)")
      }
      return
    }
    guard let name = value(of: "target", in: arguments) else { fail("no --target; targets: \(Target.list)") }
    guard let target = Target(rawValue: name) else { fail("no target \(name); targets: \(Target.list)") }
    unsafe Self.target = target
    // Both stay valid for as long as the process runs.
    var (count, vector) = unsafe (CommandLine.argc, CommandLine.unsafeArgv)
    // libFuzzer's array of arguments is one of C strings that may be absent; no argument of a process is.
    let status = unsafe withUnsafeMutablePointer(to: &vector) { vector in
      unsafe UnsafeMutableRawPointer(vector).withMemoryRebound(to: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?.self, capacity: 1) { vector in
        unsafe LLVMFuzzerRunDriver(&count, vector) { octets, length in
          // The octets are libFuzzer's for the time of this call.
          unsafe Fuzz.target.run(UnsafeBufferPointer(start: octets, count: length).span)
          return 0
        }
      }
    }
    exit(status)
  }

  /// Set once, before the only thread that runs inputs goes on.
  private nonisolated(unsafe) static var target = Target.packet

  private static func value(of option: String, in arguments: ArraySlice<String>) -> String? {
    arguments.last { $0.hasPrefix("--\(option)=") }.map { String($0.dropFirst(option.count + 3)) }
  }

  private static func fail(_ message: String) -> Never {
    try? FileHandle.standardError.write(contentsOf: Data("fuzz: \(message)\n".utf8))
    exit(2)
  }
}

import Foundation

/// The resident set of this process, in octets (`VmRSS` of proc(5)).
func residentMemory() throws -> Int { try memory("VmRSS") }

/// The most that it has been (`VmHWM`).
func peakResidentMemory() throws -> Int { try memory("VmHWM") }

private func memory(_ field: String) throws -> Int {
  let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
  let line = status.split(separator: "\n").first { $0.hasPrefix("\(field):") }
  guard let line, let kibibytes = line.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Int($0) }) else {
    throw CocoaError(.fileReadCorruptFile, userInfo: [NSFilePathErrorKey: "/proc/self/status"])
  }
  return kibibytes * 1024
}

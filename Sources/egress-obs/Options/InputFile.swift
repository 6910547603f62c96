import FoundationEssentials
import Host
import Policy

/// A text file that a person named, or found in a directory that a person named.
struct InputFile {
  var path: String
  var text: String

  static let manifestSuffixes = [".yaml", ".yml", ".json"]

  /// The manifests at the paths, in the order of their names: files, directories (recursively), `-` for standard input.
  ///
  /// `withUnitFiles`: of directories also those files that are unit files of systemd by their names.
  static func manifests(at paths: [String], withUnitFiles: Bool = false) throws -> [InputFile] {
    try paths.flatMap { path -> [InputFile] in
      var isDirectory = false
      guard path != "-", FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory else {
        return [InputFile(path: path == "-" ? "standard input" : path, text: try one(at: path))]
      }
      guard let names = try? FileManager.default.subpathsOfDirectory(atPath: path) else {
        throw Trouble("\(path): cannot be listed; check its permissions")
      }
      let files = names.sorted().filter { name in
        if manifestSuffixes.contains(where: name.hasSuffix) { return true }
        // A link that leads nowhere, as the alias of a unit that was uninstalled, is no unit; systemd passes over it, too.
        return withUnitFiles && PolicySet.isUnitFile(path + "/" + name) && FileManager.default.fileExists(atPath: path + "/" + name)
      }
      guard !files.isEmpty else {
        throw Trouble("\(path): holds no manifest (\(manifestSuffixes.map { "*" + $0 }.joined(separator: ", "))\(withUnitFiles ? ", systemd units" : "")); check the path")
      }
      return try files.map { InputFile(path: path.hasSuffix("/") ? path + $0 : path + "/" + $0, text: try one(at: path + "/" + $0)) }
    }
  }

  /// The largest file that is read, in octets.
  static let maximumByteCount = 1 << 30

  /// The text of one file or pipe, or of standard input for `-`.
  static func one(at path: String) throws -> String {
    if path == "-" { return standardInput() }
    let octets = try Trouble.naming { try FileContents.read(path, limit: maximumByteCount + 1) }
    guard octets.count <= maximumByteCount else { throw Trouble("cannot read \(path): it is larger than 1 GiB (name another file)") }
    guard let text = String(validating: octets, as: UTF8.self) else {
      throw Trouble("cannot read \(path): it is not UTF-8 text (save it as UTF-8)")
    }
    return text
  }

  private static func standardInput() -> String {
    var text = ""
    while let line = readLine(strippingNewline: false) { text += line }
    return text
  }
}

/// JSON that people write line by line.
enum JSONLine {
  static func decode<Value: Decodable>(_ type: Value.Type, _ line: some StringProtocol) -> Value? {
    try? JSONDecoder().decode(type, from: Data(line.utf8))
  }
}

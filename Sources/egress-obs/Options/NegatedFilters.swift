/// `--not` before a filter negates it. The argument parser does not keep the order of options, so `--not --port 443`
/// becomes the one option `--not-port 443` before it is parsed.
enum NegatedFilters {
  /// The filters that can be negated, with their short spellings.
  static let filters = [
    "--namespace": "namespace", "-n": "namespace", "--workload": "workload", "--name": "name", "--vendor": "vendor", "--port": "port",
    "--transport": "transport", "--verdict": "verdict", "--finding": "finding",
  ]

  static func rewrite(_ arguments: [String]) -> [String] {
    var result: [String] = []
    var index = 0
    while index < arguments.count {
      let argument = arguments[index]
      // Behind `--` nothing is an option.
      if argument == "--" { return result + arguments[index...] }
      if argument == "--not", index + 1 < arguments.count {
        let next = arguments[index + 1]
        let parts = next.split(separator: "=", maxSplits: 1)
        if let name = parts.first.flatMap({ filters[String($0)] }) {
          result.append("--not-\(name)" + (parts.count > 1 ? "=\(parts[1])" : ""))
          index += 2
          continue
        }
      }
      result.append(argument)
      index += 1
    }
    return result
  }
}

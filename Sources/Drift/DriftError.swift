/// What can be wrong with what a user hands this module.
public enum DriftError: Error, Equatable, CustomStringConvertible {
  /// A line of a vendor catalogue that cannot be read; lines count from 1.
  case catalogue(file: String, line: Int, problem: String)

  public var description: String {
    switch self {
    case .catalogue(let file, let line, let problem):
      "\(file):\(line): \(problem) (a line is: suffix TAB vendor TAB category TAB flags)"
    }
  }
}

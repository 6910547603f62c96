/// What ends a command with exit code 2: the message names the thing, the cause and the next step.
struct Trouble: Error {
  var message: String
  init(_ message: String) { self.message = message }

  /// Ends the command with the words of a module's own error, which already name cause and next step.
  static func naming<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let trouble as Trouble {
      throw trouble
    } catch {
      throw Trouble("\(error)")
    }
  }
}

extension Trouble {
  /// Several errors, each on a line of its own.
  init(listing errors: [some Error]) {
    message = errors.map { "\($0)" }.joined(separator: "\negress-obs: ")
  }
}

public import ArgumentParser
public import EgressModel
public import Logging
public import Policy
public import Reporting
public import Storage

// How the values of the model are written on a command line. Conformances of public types are public, and so are these imports.

extension Glob: ExpressibleByArgument {
  /// What a person filters by is not about case.
  public init?(argument: String) { self.init(argument.lowercased()) }
}

extension Transport: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension TimeSpan: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
  public var defaultValueDescription: String { description }
}

extension IPAddress: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension IPPrefix: ExpressibleByArgument {
  /// A block, or one address as a block of its own.
  public init?(argument: String) {
    if let block = IPPrefix(argument) {
      self = block
    } else if let address = IPAddress(argument) {
      self.init(address)
    } else {
      return nil
    }
  }
}

extension ReportFormat: ExpressibleByArgument {
  public var defaultValueDescription: String { rawValue }
}

extension OutputFormat: ExpressibleByArgument {}
extension Verdict.Decision: ExpressibleByArgument {}
extension FindingKind: ExpressibleByArgument {}
extension PolicyDialect: ExpressibleByArgument {}
extension QueuedAlert.State: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}

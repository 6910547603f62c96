import ArgumentParser
import EgressModel
import Host
import Reporting
import Storage

/// `egress-obs flows`: lists and follows flows, or the names that were looked up.
struct FlowsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flows", abstract: "Lists and follows (-f) flows, each with its name, its workload and its verdict.")

  @OptionGroup var database: DatabaseOption
  @Flag(name: [.customShort("f"), .long], help: "Go on with flows as they are recorded, until interrupted.")
  var follow = false
  @Flag(help: "The names that were looked up, in place of flows.")
  var names = false
  @OptionGroup var filters: FilterOptions
  @OptionGroup var output: OutputOptions

  /// How many rows a person gets unless --last or --since says otherwise; machines get everything.
  static let defaultLimit = 100
  static let followInterval = Duration.milliseconds(300)

  func validate() throws {
    if follow, names { throw ValidationError("-f follows flows; it does not go with --names.") }
    if follow, output.output == .json { throw ValidationError("-f never ends, and json is one document; use -o ndjson.") }
  }

  func run() async throws {
    let reader = try database.reader()
    var filter = filters.filter(now: WallClock.now)
    let isCut = filter.last == nil && filter.since == nil && output.output.isForPeople
    if isCut { filter.last = Self.defaultLimit }
    if names {
      let stored = try Trouble.naming { try reader.names() }
      return list(.names, newest(of: stored.map(\.record), filter, \.filterSubject), isCut)
    }
    // The cursor is taken first: a flow recorded meanwhile is shown twice rather than not at all.
    let cursor = try Trouble.naming { try reader.flows(after: nil).cursor }
    let flows = try Trouble.naming { try reader.flows(matching: filter) }
    guard follow else { return list(.flows, flows, isCut) }
    try await follow(reader, filter, after: cursor, showing: flows)
  }

  private func list<Record>(_ listing: Listing<Record>, _ records: [Record], _ isCut: Bool) {
    StandardOutput.write(listing.render(records, as: output.output, style: StandardOutput.style))
    if isCut, records.count == Self.defaultLimit {
      StandardError.write("the newest \(Self.defaultLimit); --last or --since shows more\n")
    }
  }

  private func newest<Record>(of records: [Record], _ filter: RecordFilter, _ subject: (Record) -> RecordFilter.Subject) -> [Record] {
    records.filter { filter.matches(subject($0)) }.suffix(filter.last ?? .max)
  }

  private func follow(_ reader: StoreReader, _ filter: RecordFilter, after cursor: Int64, showing flows: [FlowRecord]) async throws {
    var writer = ListingWriter(Listing.flows, format: output.output, style: StandardOutput.style)
    var text = writer.begin()
    for flow in flows { writer.append(flow, to: &text) }
    StandardOutput.write(text)
    var cursor = cursor
    while true {
      let (fresh, next) = try Trouble.naming { try reader.flows(after: cursor) }
      cursor = next
      text = ""
      for flow in fresh where filter.matches(flow.filterSubject) { writer.append(flow, to: &text) }
      if !text.isEmpty { StandardOutput.write(text) }
      try await Task.sleep(for: Self.followInterval)
    }
  }
}

extension StoreReader {
  /// The flows that match, oldest first; with `last`, the newest of them.
  func flows(matching filter: RecordFilter) throws(StorageError) -> [FlowRecord] {
    var flows: [FlowRecord] = []
    let limit = filter.last ?? .max
    try self.flows(
      from: filter.since ?? Timestamp(nanoseconds: .min), until: filter.until ?? Timestamp(nanoseconds: .max), newestFirst: filter.last != nil
    ) { flow in
      if filter.matches(flow.filterSubject) { flows.append(flow) }
      return flows.count < limit
    }
    return filter.last != nil ? flows.reversed() : flows
  }
}

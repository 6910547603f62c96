import Reporting
import Synchronization

/// Prints records as they come, without holding them.
final class ListingPrinter<Record: Sendable>: Sendable {
  private let writer: Mutex<ListingWriter<Record>>

  /// Prints what stands before the first record.
  init(_ listing: Listing<Record>, format: OutputFormat) {
    var writer = ListingWriter(listing, format: format, style: StandardOutput.style)
    StandardOutput.write(writer.begin())
    self.writer = Mutex(writer)
  }

  func print(_ records: some Sequence<Record>) {
    let text = writer.withLock { writer in
      var text = ""
      for record in records { writer.append(record, to: &text) }
      return text
    }
    if !text.isEmpty { StandardOutput.write(text) }
  }

  /// Prints what stands after the last record.
  func end() { StandardOutput.write(writer.withLock { $0.end() }) }
}

import Drift
import EgressModel
import Foundation
import Reporting
import Testing

@Suite struct FormatTests {
  private func object(_ text: some StringProtocol) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func `JSON is one document with its records and its coverage`() throws {
    for (kind, count, text) in Hostile.renderings(.json) {
      let document = try object(text)
      #expect(document["schema"] as? String == "egress-obs.\(kind).v1")
      #expect((document[kind] as? [[String: Any]])?.count == count)
      if ["flows", "names", "vendors", "findings"].contains(kind) {
        #expect((document["coverage"] as? [String: Any])?["schema"] as? String == "egress-obs.coverage.v1")
      }
    }
  }

  @Test func `NDJSON is one object a line, the coverage last`() throws {
    for (kind, count, text) in Hostile.renderings(.ndjson) {
      let objects = try text.utf8.split(separator: UInt8(ascii: "\n")).map { try object(String(decoding: $0, as: UTF8.self)) }
      if ["flows", "names", "vendors", "findings"].contains(kind) {
        #expect(objects.count == count + 1)
        #expect(objects.last?["schema"] as? String == "egress-obs.coverage.v1")
      } else {
        #expect(objects.count == count)
      }
    }
  }

  @Test func `CSV is read by Python as one table of exact values`() throws {
    for (kind, count, text) in Hostile.renderings(.csv) {
      let rows = try Python.csvRows(text)
      #expect(rows.count == count + 1, "\(kind)")
      #expect(Set(rows.map(\.count)).count == 1, "\(kind): every row has the columns of the header")
      #expect(Set(rows[0]).count == rows[0].count, "\(kind): no two columns have the same name")
      for field in rows.joined() {
        #expect(!field.unicodeScalars.contains { $0.value < 0x20 }, "\(kind)")
        if let first = field.first { #expect(!"=+@".contains(first) && (first != "-"), "\(kind): \(field)") }
      }
    }
  }

  @Test func `CSV keeps exact numbers and times where tables round`() throws {
    let flow = try #require(Hostile.flows.first)
    let rows = try Python.csvRows(Listing.flows.render([flow], as: .csv))
    let row = Dictionary(uniqueKeysWithValues: zip(rows[0], rows[1]))
    #expect(row["bytes_out"] == "18446744073709551615")
    #expect(row["start"] == "1970-01-01T00:00:00.000000001Z")
    #expect(row["destination_port"] == "")
    #expect(Listing.flows.render([flow], as: .wide).contains("18 EB"))
  }

  @Test(arguments: [OutputFormat.table, .wide])
  func `a table has one line a record and nothing that acts on a terminal`(format: OutputFormat) {
    for (kind, count, text) in Hostile.renderings(format) {
      let lines = text.split(separator: "\n")
      #expect(!text.unicodeScalars.contains { ($0.value < 0x20 && $0 != "\n") || (0x7f..<0xa0).contains($0.value) || $0.value == 0x202e }, "\(kind)")
      let titles = kind == "findings" && format == .table ? 0 : 1
      let footer = ["flows", "names", "vendors", "findings"].contains(kind) ? 1 + Hostile.texts.count : 0
      #expect(lines.count == titles + count + footer, "\(kind)")
    }
  }

  @Test func `a Markdown table has the same cells in every line`() {
    for (kind, count, text) in Hostile.renderings(.markdown) {
      let rows = text.split(separator: "\n").filter { $0.hasPrefix("|") }
      #expect(rows.count == count + 2, "\(kind)")
      // Pipes that a backslash does not escape end a cell, in code spans too.
      let cells = rows.map { (row: Substring) -> Int in
        var count = 0
        var previous: UInt8 = 0
        for byte in row.utf8 {
          if byte == UInt8(ascii: "|"), previous != UInt8(ascii: "\\") { count += 1 }
          previous = byte
        }
        return count
      }
      #expect(Set(cells).count == 1, "\(kind): \(cells)")
    }
  }

  @Test func `colour is there only when it is asked for`() {
    for format in [OutputFormat.table, .wide] {
      for (_, _, text) in Hostile.renderings(format) { #expect(!text.contains("\u{1b}")) }
    }
    let coloured = Hostile.report.render(as: .listing(.table), style: TextStyle(usesColour: true))
    #expect(coloured.contains("\u{1b}[31mDENIED\u{1b}[0m"))
    for format in [OutputFormat.json, .ndjson, .csv, .markdown] {
      for (_, _, text) in Hostile.renderings(format, style: TextStyle(usesColour: true, width: 40)) { #expect(!text.contains("\u{1b}")) }
    }
  }

  @Test func `a narrow terminal cuts cells and keeps the last column`() throws {
    let text = Listing.diagnoses.render(
      [Diagnosis(check: "capture", status: .fail, detail: String(repeating: "long ", count: 40), nextStep: "setcap")], as: .table,
      style: TextStyle(width: 60))
    let lines = text.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 60 })
    #expect(lines.last?.hasSuffix("…  setcap") == true)
  }

  @Test func `what is written record by record is what is written at once`() {
    let flows = Hostile.flows
    for format in [OutputFormat.json, .ndjson, .csv, .markdown] {
      var writer = ListingWriter(.flows, format: format)
      var text = writer.begin()
      for flow in flows { writer.append(flow, to: &text) }
      text += writer.end(coverage: Hostile.coverage)
      #expect(text == Listing.flows.render(flows, as: format, coverage: Hostile.coverage))
    }
  }

  @Test func `a followed table has its titles once and its columns in place`() {
    var flow = Hostile.flows[0]
    flow.workload = Workload(kind: .systemd, name: "nginx.service")
    var writer = ListingWriter(.flows, format: .table)
    var text = writer.begin()
    writer.append(flow, to: &text)
    writer.append(flow, to: &text)
    let lines = text.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[0].hasPrefix("START                 WORKLOAD                  DESTINATION"))
    #expect(lines[1].dropFirst(22).hasPrefix("systemd/nginx.service     "))
  }

  @Test(arguments: [
    (OutputFormat.table, "no flows\n"), (.wide, "no flows\n"), (.json, "{\"schema\":\"egress-obs.flows.v1\",\"flows\":[]}\n"), (.ndjson, ""),
    (.markdown, "no flows\n"),
  ])
  func `nothing is said to be nothing`(format: OutputFormat, text: String) {
    #expect(Listing.flows.render([], as: format) == text)
  }

  @Test func `the formats have the words of the contract`() {
    #expect(OutputFormat.allCases.map(\.rawValue) == ["table", "wide", "json", "ndjson", "csv", "markdown"])
    #expect(ReportFormat.allCases.map(\.rawValue) == ["table", "wide", "json", "ndjson", "csv", "markdown", "sarif", "junit"])
    #expect(ReportFormat.allCases.allSatisfy { ReportFormat(rawValue: $0.rawValue) == $0 })
    #expect(ReportFormat(rawValue: "html") == nil)
  }
}

/// Other people's readers, asked for what they see.
enum Python {
  static func csvRows(_ text: String) throws -> [[String]] {
    let script = "import csv,json,sys,io; print(json.dumps(list(csv.reader(io.StringIO(sys.stdin.buffer.read().decode(), newline=''), strict=True))))"
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    // Python writes only once it has read everything, so neither pipe can fill while the other waits.
    input.fileHandleForWriting.write(Data(text.utf8))
    try input.fileHandleForWriting.close()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return try #require(try JSONSerialization.jsonObject(with: data) as? [[String]])
  }
}

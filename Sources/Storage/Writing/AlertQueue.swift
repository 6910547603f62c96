import EgressModel

/// The queue of alerts: delivered in order per hook, at least once.
final class AlertQueue {
  private let database: Database
  private let group: Statement
  private let insert: Statement
  private let due: Statement
  private let deliver: Statement
  private let fail: Statement
  private let giveUp: Statement
  private let retry: Statement

  init(_ database: Database) throws(StorageError) {
    self.database = database
    // One that failed for good told nobody, so it stands for nothing.
    group = try Statement(
      database,
      """
      UPDATE alerts SET suppressed = suppressed + 1 WHERE seq = (
        SELECT seq FROM alerts WHERE hook = ? AND topic = ? AND (state = 'pending' OR (state = 'delivered' AND created > ?))
        ORDER BY seq DESC LIMIT 1)
      """)
    insert = try Statement(
      database,
      "INSERT INTO alerts(id, hook, finding, topic, payload, state, next_attempt, created) VALUES(?, ?, ?, ?, ?, 'pending', ?6, ?6)")
    due = try Statement(
      database,
      """
      SELECT \(AlertColumns.list) FROM alerts
      WHERE seq IN (SELECT min(seq) FROM alerts WHERE state = 'pending' GROUP BY hook) AND next_attempt <= ? ORDER BY seq
      """)
    deliver = try Statement(
      database, "UPDATE alerts SET state = 'delivered', attempts = attempts + 1, delivered = ?, last_error = NULL WHERE id = ? AND state = 'pending'")
    fail = try Statement(
      database, "UPDATE alerts SET attempts = attempts + 1, last_error = ?, next_attempt = ? WHERE id = ? AND state = 'pending'")
    giveUp = try Statement(
      database, "UPDATE alerts SET state = 'failed', attempts = attempts + 1, last_error = ? WHERE id = ? AND state = 'pending'")
    retry = try Statement(database, "UPDATE alerts SET state = 'pending', next_attempt = ? WHERE id = ? AND state <> 'delivered'")
  }

  func enqueue(_ alert: Alert, groupingWithin window: Int64, at time: Timestamp) throws(StorageError) -> Bool {
    if window > 0 {
      group.bind(alert.hook)
      group.bind(alert.topic)
      group.bind(time.adding(nanoseconds: -window).nanoseconds)
      try group.run()
      if database.changes > 0 { return false }
    }
    insert.bind(alert.id)
    insert.bind(alert.hook)
    insert.bind(alert.finding?.rawValue)
    insert.bind(alert.topic)
    insert.bind(alert.payload)
    insert.bind(time.nanoseconds)
    try insert.run()
    return true
  }

  func due(at time: Timestamp) throws(StorageError) -> [QueuedAlert] {
    due.bind(time.nanoseconds)
    var alerts: [QueuedAlert] = []
    while try due.step() { alerts.append(try AlertColumns.read(due)) }
    return alerts
  }

  func deliver(_ id: String, at time: Timestamp) throws(StorageError) -> Bool {
    deliver.bind(time.nanoseconds)
    deliver.bind(id)
    try deliver.run()
    return database.changes > 0
  }

  func fail(_ id: String, error: String, nextAttempt: Timestamp) throws(StorageError) -> Bool {
    fail.bind(error)
    fail.bind(nextAttempt.nanoseconds)
    fail.bind(id)
    try fail.run()
    return database.changes > 0
  }

  func giveUp(_ id: String, error: String) throws(StorageError) -> Bool {
    giveUp.bind(error)
    giveUp.bind(id)
    try giveUp.run()
    return database.changes > 0
  }

  func retry(_ id: String, at time: Timestamp) throws(StorageError) -> Bool {
    retry.bind(time.nanoseconds)
    retry.bind(id)
    try retry.run()
    return database.changes > 0
  }
}

/// The columns of `alerts` as a `QueuedAlert`.
enum AlertColumns {
  static let list =
    "seq, id, hook, finding, topic, payload, state, attempts, next_attempt, last_error, created, delivered, suppressed"

  static func read(_ statement: Statement) throws(StorageError) -> QueuedAlert {
    let row = try Row(statement, table: "alerts")
    let alert = Alert(
      id: try row.text("id"), hook: try row.text("hook"), finding: try row.optionalInteger("finding").map { FindingID(rawValue: $0) },
      topic: try row.text("topic"), payload: try row.text("payload"))
    return QueuedAlert(
      alert: alert, state: try row.word("state"), attempts: Int(clamping: try row.integer("attempts")),
      nextAttempt: try row.time("next_attempt"), lastError: try row.optionalText("last_error"), created: try row.time("created"),
      delivered: try row.optionalTime("delivered"), suppressed: try row.counter("suppressed"))
  }
}

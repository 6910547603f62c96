/// One line of a watch.
enum WatchEvent: Sendable {
  case added(ClusterObject)
  case modified(ClusterObject)
  case deleted(ClusterObject)
  /// Nothing happened; the version to go on from.
  case bookmark(resourceVersion: String)
  /// The watch is over; 410 is "too old, list again".
  case error(APIStatus)

  init(line: [UInt8], of resource: Resource) throws {
    var cursor = JSONCursor(line)
    var type: String?
    var place: Int?
    try cursor.members { cursor, key in
      if key == "type" { type = try cursor.string() }
      if key == "object" { place = cursor.offset }
    }
    guard let type, let place, try cursor.isAtEnd() else { throw JSONCursor.Failure(offset: cursor.offset, expected: "an event") }
    switch type {
    case "ADDED": self = .added(try ClusterObject(line, at: place, of: resource))
    case "MODIFIED": self = .modified(try ClusterObject(line, at: place, of: resource))
    case "DELETED": self = .deleted(try ClusterObject(line, at: place, of: resource))
    case "BOOKMARK":
      var metadata = ObjectMetadata()
      var object = JSONCursor(line, at: place)
      try object.members { cursor, key in if key == "metadata" { metadata = try ObjectMetadata(&cursor) } }
      self = .bookmark(resourceVersion: metadata.resourceVersion)
    case "ERROR": self = .error(try APIStatus(line, at: place))
    default: throw JSONCursor.Failure(offset: place, expected: "ADDED, MODIFIED, DELETED, BOOKMARK or ERROR")
    }
  }
}

extension Workload {
  public var json: JSONValue {
    .object([
      "kind": .string(kind.rawValue),
      "namespace": namespace.map { .string($0) },
      "name": .string(name),
      "uid": uid.map { .string($0) },
      "owner": owner.map { .object(["kind": .string($0.kind), "name": .string($0.name)]) },
      "node": node.map { .string($0) },
      "candidates": candidates.isEmpty ? nil : .array(candidates.map(\.json)),
    ])
  }
}

extension RuleReference {
  public var json: JSONValue { .object(["policy": .string(policy), "rule": .integer(Int64(rule))]) }
}

extension Verdict {
  public var json: JSONValue {
    .object([
      "decision": .string(decision.rawValue),
      "by": by.isEmpty ? nil : .array(by.map(\.json)),
      "reason": reason.map { .string($0) },
      "nearest": nearest?.json,
      "bypass": bypass?.json,
      "would": would?.json,
    ])
  }
}

extension Verdict.Proposal {
  public var json: JSONValue {
    .object([
      "decision": .string(decision.rawValue),
      "by": by.isEmpty ? nil : .array(by.map(\.json)),
      "reason": reason.map { .string($0) },
    ])
  }
}

extension Destination {
  public var json: JSONValue {
    .object([
      "ip": .string(address.description),
      "port": port.map { .unsigned(UInt64($0)) },
      "transport": .string(transport.description),
      "name": names.first.map { .string($0.name.text) },
      "name_source": names.first.map { .string($0.source.rawValue) },
      "names": names.isEmpty ? nil : .array(names.map(\.json)),
    ])
  }
}

extension Finding {
  /// The shape `egress-obs.finding.v1`.
  public var json: JSONValue {
    .object([
      "schema": .string("egress-obs.finding.v1"),
      "finding": .string(kind.rawValue),
      "severity": .string(severity.rawValue),
      "title": .string(title),
      "workload": workload?.json,
      "destination": destination?.json,
      "vendor": vendor?.json,
      "first_seen": firstSeen.map { .string($0.description) },
      "last_seen": lastSeen.map { .string($0.description) },
      "flows": .unsigned(flows),
      "bytes": .object(["out": .unsigned(bytes.out), "in": .unsigned(bytes.in)]),
      "rule": rule?.json,
      "reason": reason.map { .string($0) },
      "enforcement": enforcement.map { .string($0.rawValue) },
      "samples": samples.isEmpty ? nil : .array(samples.map(\.json)),
    ])
  }
}

extension Coverage {
  /// The shape `egress-obs.coverage.v1`.
  public var json: JSONValue {
    .object([
      "schema": .string("egress-obs.coverage.v1"),
      "from": .string(from.description),
      "until": .string(until.description),
      "nodes": .strings(nodes),
      "packets": .unsigned(packets),
      "dropped": .unsigned(dropped),
      "evicted": .unsigned(evicted),
      "undecoded": .unsigned(undecoded),
      "restarts": .integer(Int64(restarts)),
      "gaps": .array(
        gaps.map { .object(["from": .string($0.from.description), "until": .string($0.until.description), "reason": .string($0.reason)]) }),
      "external": .object([
        "flows": .unsigned(externalFlows), "unnamed_flows": .unsigned(unnamedFlows),
        "bytes": .unsigned(externalBytes), "unnamed_bytes": .unsigned(unnamedBytes),
      ]),
      "encrypted_dns_clients": .strings(encryptedDNSClients),
    ])
  }
}

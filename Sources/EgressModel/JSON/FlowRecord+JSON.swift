extension FlowRecord {
  /// The shape `egress-obs.flow.v1`.
  public var json: JSONValue {
    .object([
      "schema": .string("egress-obs.flow.v1"),
      "start": .string(start.description),
      "end": .string(end.description),
      "transport": .string(transport.description),
      "source": source.json,
      "destination": destination.json,
      "scope": .string(scope.rawValue),
      "packets": .object(["out": .unsigned(out.packets), "in": .unsigned(`in`.packets)]),
      "bytes": .object(["out": .unsigned(out.bytes), "in": .unsigned(`in`.bytes)]),
      "state": .string(state.rawValue),
      "application": application.map { .string($0.rawValue) },
      "name": name.map { .string($0.name.text) },
      "name_source": name.map { .string($0.source.rawValue) },
      "names": names.isEmpty ? nil : .array(names.map(\.json)),
      "tls": tls?.json,
      "proxy": proxy?.json,
      "encapsulation": encapsulation.isEmpty ? nil : .strings(encapsulation),
      "backend": backend?.json,
      "vendor": vendor?.json,
      "workload": workload?.json,
      "verdict": verdict?.json,
      "findings": findings.isEmpty ? nil : .strings(findings.map(\.rawValue)),
    ])
  }
}

extension SocketAddress {
  public var json: JSONValue {
    .object(["ip": .string(ip.description), "port": port.map { .unsigned(UInt64($0)) }])
  }
}

extension NameEvidence {
  public var json: JSONValue {
    .object([
      "name": .string(name.text),
      "source": .string(source.rawValue),
      "confidence": .string(confidence.rawValue),
      "chain": chain.isEmpty ? nil : .strings(chain.map(\.text)),
    ])
  }
}

extension TLSFacts {
  public var json: JSONValue {
    .object([
      "sni": sni.map { .string($0.text) },
      "alpn": alpn.isEmpty ? nil : .strings(alpn),
      "version": version.map { .string($0) },
      "ja4": ja4.map { .string($0) },
      "ech": .string(ech.rawValue),
    ])
  }
}

extension ProxyTarget {
  public var json: JSONValue {
    .object([
      "kind": .string(kind.rawValue), "target": .string(target.text), "port": port.map { .unsigned(UInt64($0)) },
      "inner_name": innerName.map { .string($0.text) },
    ])
  }
}

extension Vendor {
  public var json: JSONValue {
    .object(["name": .string(name), "category": .string(category), "domain": .string(domain.text)])
  }
}

extension NameRecord {
  /// The shape `egress-obs.name.v1`.
  public var json: JSONValue {
    .object([
      "schema": .string("egress-obs.name.v1"),
      "time": .string(time.description),
      "client": .string(client.description),
      "server": .string(server.description),
      "name": .string(name.text),
      "type": .string(type),
      "chain": chain.isEmpty ? nil : .strings(chain.map(\.text)),
      "addresses": addresses.isEmpty ? nil : .strings(addresses.map(\.description)),
      "ttl": ttl.map { .unsigned(UInt64($0)) },
      "rcode": .string(rcode),
    ])
  }
}

/// Which pod had which address at which time, and which pods there were.
///
/// Addresses are used again, news of pods is late, and flows outlive their pods: so who had an address is asked for a moment, and what
/// ended is remembered for a while.
public struct PodTimeline: Sendable {
  private struct Tenure: Sendable {
    var pod: String
    var from: Timestamp
    var until: Timestamp?
  }

  /// By address, oldest first.
  private var tenures: [IPAddress: [Tenure]] = [:]
  /// By uid, those that are gone included: of these only what is asked of them still, which is whose flows they were.
  private var pods: [String: Pod] = [:]
  /// The uids of static pods, by what the kubelet calls them.
  private var staticPods: [String: String] = [:]
  /// When each pod that is gone went; the others have no entry.
  private var ended: [String: Timestamp] = [:]
  /// When those that went long ago were last looked for.
  private var tidied = Timestamp(nanoseconds: .min)

  static let rounding: Int64 = 1_000_000_000
  /// The API tells times in whole seconds, by another clock.
  static let slack: Int64 = 2_000_000_000
  /// Longer than any flow is kept after its last packet.
  static let memory: Int64 = 3 * 3600 * 1_000_000_000
  /// How often those are looked for that have been gone for longer.
  static let tidying: Int64 = 600 * 1_000_000_000
  /// The most pods remembered that are gone.
  static let capacity = 65_536

  public init() {}

  /// Pods of manifests: nothing tells since when, so it is always.
  public init(_ pods: [Pod]) {
    for pod in pods { note(pod, since: Timestamp(nanoseconds: .min), at: Timestamp(nanoseconds: .min)) }
  }

  /// Takes the pods there are now, as manifests have them; whoever is not among them any more is gone.
  public mutating func replace(by pods: [Pod], at now: Timestamp) {
    let keys = Set(pods.map(Self.key))
    for (key, pod) in self.pods where !keys.contains(key) { remove(pod, at: now) }
    // Nothing tells since when; but who takes over an address has it from now on.
    for pod in pods { note(pod, since: pod.addresses.contains { tenures[$0] != nil } ? now : Timestamp(nanoseconds: .min), at: now) }
    forgetOld(at: now)
  }

  private static func key(_ pod: Pod) -> String { pod.uid ?? "\(pod.namespace)/\(pod.name)" }

  /// Takes a pod as it is now.
  ///
  /// - Parameters:
  ///   - since: from when on it may have its addresses (`status.startTime`), which is before anybody is told of them.
  ///   - now: when we were told.
  public mutating func note(_ pod: Pod, since: Timestamp?, at now: Timestamp) {
    let key = Self.key(pod)
    let before = pods.updateValue(pod, forKey: key)
    if let hash = pod.staticHash { staticPods[hash] = key }
    let owned = pod.ownsAddresses && !pod.hostNetwork ? pod.addresses : []
    for address in before?.addresses ?? [] where !owned.contains(address) { end(address, key, at: now) }
    if !pod.ownsAddresses { ended[key] = ended[key] ?? now } else { ended[key] = nil }
    // One list for all addresses that nobody had before.
    let first = [Tenure(pod: key, from: since ?? now, until: nil)]
    for address in owned {
      guard let last = tenures[address]?.last else {
        tenures[address] = first
        continue
      }
      if last.pod == key, last.until == nil { continue }
      var from = since ?? now
      // The API tells whole seconds, and in one second an address may change hands: then the new pod has it when the old one let go of it.
      if let until = last.until, until > from, until.since(from) < Self.rounding { from = until }
      // Who had it before cannot have it any more, though nobody has said so yet.
      if last.until == nil { end(address, last.pod, at: max(last.from, min(from, now))) }
      tenures[address, default: []].append(Tenure(pod: key, from: from, until: nil))
    }
  }

  /// The pod is gone, and its addresses are free.
  public mutating func remove(_ pod: Pod, at now: Timestamp) {
    let key = Self.key(pod)
    guard let known = pods[key] else { return }
    for address in known.addresses { end(address, key, at: now) }
    ended[key] = ended[key] ?? now
    pods[key] = Pod(known, labels: [:], ports: [], owner: known.owner)
    if now.since(tidied) >= Self.tidying { forgetOld(at: now) }
    if ended.count > Self.capacity { forget(before: ended.values.sorted()[ended.count / 2]) }
  }

  private mutating func end(_ address: IPAddress, _ key: String, at now: Timestamp) {
    guard var list = tenures[address], let index = list.lastIndex(where: { $0.pod == key && $0.until == nil }) else { return }
    list[index].until = max(list[index].from, now)
    tenures[address] = list
  }

  /// Forgets pods that have been gone for so long that no flow of theirs is left.
  private mutating func forgetOld(at now: Timestamp) {
    tidied = now
    forget(before: now.adding(nanoseconds: -Self.memory))
  }

  private mutating func forget(before limit: Timestamp) {
    let old = Set(ended.filter { $0.value <= limit }.keys)
    guard !old.isEmpty else { return }
    for key in old {
      let pod = pods.removeValue(forKey: key)
      if let hash = pod?.staticHash, staticPods[hash] == key { staticPods[hash] = nil }
      for address in pod?.addresses ?? [] {
        tenures[address]?.removeAll { $0.pod == key }
        if tenures[address]?.isEmpty == true { tenures[address] = nil }
      }
      ended[key] = nil
    }
  }

  /// Who had the address at that time; nil when nobody did, as far as is known.
  public func pod(at address: IPAddress, _ time: Timestamp) -> Pod? {
    guard let list = tenures[address] else { return nil }
    let tenure = list.last { $0.from <= time } ?? list.first { $0.from <= time.adding(nanoseconds: Self.slack) }
    guard let tenure, tenure.until.map({ time <= $0 }) ?? true else {
      // Between two tenures: the next one may have begun a little before its clock says so.
      return list.first { $0.from > time && $0.from <= time.adding(nanoseconds: Self.slack) }.flatMap { pods[$0.pod] }
    }
    return pods[tenure.pod]
  }

  /// A pod that is there or was there lately, by its uid or, for a static pod, by what the kubelet calls it.
  public func pod(uid: String) -> Pod? { pods[uid] ?? staticPods[uid].flatMap { pods[$0] } }
}

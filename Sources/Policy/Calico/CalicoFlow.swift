import EgressModel

/// A flow as Calico sees it: its addresses, the network sets these are in, and its names.
struct CalicoFlow {
  var pod: Int
  var place: Place
  var destination: Destination
  /// Why it is not known where it leads.
  var unknown: String?
  var service: Service?
  private(set) var names: [DomainName] = []
  /// Of the network sets that hold the address.
  private(set) var sets: [Int] = []

  init(_ pod: Int, _ place: Place, _ destination: Destination, sets: [CalicoEngine.NetworkSet]) {
    self.pod = pod
    self.place = place
    self.destination = destination
    self.sets = sets.indices.filter { sets[$0].blocks.block(of: place.address) != nil }
  }

  init(_ pod: Int, _ destination: Destination, service: Service?, unknown: String) {
    self.pod = pod
    self.place = Place(address: destination.address, pod: nil, port: destination.port)
    self.destination = destination
    self.service = service
    self.unknown = unknown
  }

  /// Gives it its names, and the sets that hold one of them.
  mutating func name(_ names: [DomainName], _ all: [CalicoEngine.NetworkSet]) {
    self.names = names
    guard !names.isEmpty, unknown == nil else { return }
    for index in all.indices where !sets.contains(index) && all[index].domains.contains(where: { names.contains(where: $0.matches) }) {
      sets.append(index)
    }
  }
}

import EgressModel

/// A flow as Calico sees it: its addresses, the network sets these are in, and its names.
struct CalicoFlow {
  var pod: Int
  var place: Place
  var destination: Destination
  /// Why it is not known where it leads.
  var unknown: String?
  var service: Service?
  let names: [LabelledName]
  /// The network sets that hold the address or a name of it.
  let sets: [Int]

  init(_ pod: Int, _ place: Place, _ destination: Destination, sets: [CalicoEngine.NetworkSet], _ index: RuleIndex) {
    let names = destination.decisiveNames
    self.pod = pod
    self.place = place
    self.destination = destination
    self.names = names
    self.sets = index.rules(of: [0], meeting: index.met(by: place.address, names)).filter { set in
      sets[set].blocks.block(of: place.address) != nil || sets[set].domains.contains { names.contains(where: $0.matches) }
    }
  }

  init(_ pod: Int, _ destination: Destination, service: Service?, unknown: String) {
    self.pod = pod
    self.place = Place(address: destination.address, pod: nil, port: destination.port)
    self.destination = destination
    self.service = service
    self.unknown = unknown
    names = destination.decisiveNames
    sets = []
  }
}

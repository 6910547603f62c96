import EgressModel
import Testing

@Suite struct PodTimelineTests {
  private let address = IPAddress("10.244.1.7")!
  private func at(_ seconds: Double) -> Timestamp { Timestamp(nanoseconds: Int64(seconds * 1e9)) }
  private func pod(_ uid: String, phase: String = "Running", _ addresses: [String] = ["10.244.1.7"], hostNetwork: Bool = false) -> Pod {
    Pod(namespace: "shop", name: uid, uid: uid, addresses: addresses.map { IPAddress($0)! }, hostNetwork: hostNetwork, phase: phase)
  }

  @Test func `an address belongs to whoever had it at the time`() {
    var timeline = PodTimeline()
    timeline.note(pod("a"), since: at(100), at: at(105))
    timeline.remove(pod("a"), at: at(200))
    timeline.note(pod("b"), since: at(210), at: at(215))
    #expect(timeline.pod(at: address, at(90)) == nil)
    // Before anybody told of it, and to the end.
    #expect(timeline.pod(at: address, at(101))?.uid == "a")
    #expect(timeline.pod(at: address, at(200))?.uid == "a")
    #expect(timeline.pod(at: address, at(204)) == nil)
    #expect(timeline.pod(at: address, at(211))?.uid == "b")
    #expect(timeline.pod(at: IPAddress("10.244.1.8")!, at(211)) == nil)
  }

  @Test func `an address that many pods have in one second is each one's in its turn`() {
    var timeline = PodTimeline()
    for turn in 0..<200 {
      let start = 100 + Double(turn) * 0.01
      timeline.note(pod("\(turn)"), since: at(start.rounded(.down)), at: at(start + 0.001))
      timeline.remove(pod("\(turn)"), at: at(start + 0.008))
    }
    for turn in 0..<200 { #expect(timeline.pod(at: address, at(100 + Double(turn) * 0.01 + 0.004))?.uid == "\(turn)") }
    // Who is told of late had it before: more than a second cannot be rounding.
    timeline.note(pod("late"), since: at(100), at: at(110))
    #expect(timeline.pod(at: address, at(105))?.uid == "late")
  }

  @Test func `a static pod is found by its hash, for as long as it is remembered`() {
    var timeline = PodTimeline()
    let etcd = Pod(namespace: "kube-system", name: "etcd", uid: "etcd", staticHash: "b1946ac92492d2347c6235b4d2611184", hostNetwork: true)
    timeline.note(etcd, since: at(100), at: at(101))
    #expect(timeline.pod(uid: "b1946ac92492d2347c6235b4d2611184")?.uid == "etcd")
    timeline.remove(etcd, at: at(200))
    #expect(timeline.pod(uid: "b1946ac92492d2347c6235b4d2611184")?.uid == "etcd")
    timeline.remove(etcd, at: at(200 + 4 * 3600))
    #expect(timeline.pod(uid: "b1946ac92492d2347c6235b4d2611184") == nil)
  }

  @Test func `a second's rounding of the API's clock takes no flow from its pod`() {
    var timeline = PodTimeline()
    timeline.note(pod("a"), since: at(100), at: at(101))
    #expect(timeline.pod(at: address, at(98.5))?.uid == "a")
    timeline.remove(pod("a"), at: at(200))
    timeline.note(pod("b"), since: at(210), at: at(211))
    #expect(timeline.pod(at: address, at(208.5))?.uid == "b")
  }

  @Test(arguments: ["Succeeded", "Failed"])
  func `a pod that has ended has released its addresses, whatever its status still says`(phase: String) {
    var timeline = PodTimeline()
    timeline.note(pod("job"), since: at(100), at: at(100))
    timeline.note(pod("job", phase: phase), since: at(100), at: at(150))
    #expect(timeline.pod(at: address, at(149))?.uid == "job" && timeline.pod(at: address, at(151)) == nil)
    timeline.note(pod("web"), since: at(160), at: at(161))
    #expect(timeline.pod(at: address, at(170))?.uid == "web" && timeline.pod(at: address, at(120))?.uid == "job")
  }

  @Test func `who claims an address last has it, though nobody told of the end of the one before`() {
    var timeline = PodTimeline()
    timeline.note(pod("a"), since: at(100), at: at(100))
    timeline.note(pod("b"), since: at(300), at: at(305))
    #expect(timeline.pod(at: address, at(299))?.uid == "a" && timeline.pod(at: address, at(301))?.uid == "b")
    // The late news changes nothing for the new one.
    timeline.remove(pod("a"), at: at(310))
    #expect(timeline.pod(at: address, at(312))?.uid == "b")
    #expect(timeline.pod(uid: "a") != nil)
  }

  @Test func `pods on the host network have no address of their own but are known by uid, and second addresses count`() {
    var timeline = PodTimeline()
    timeline.note(pod("host", ["192.0.2.1"], hostNetwork: true), since: at(1), at: at(1))
    #expect(timeline.pod(at: IPAddress("192.0.2.1")!, at(2)) == nil && timeline.pod(uid: "host")?.name == "host")
    timeline.note(pod("dual", ["10.244.1.9", "fd00::9"]), since: at(1), at: at(1))
    #expect(timeline.pod(at: IPAddress("fd00::9")!, at(2))?.uid == "dual")
    // An address that is given later begins no sooner than it was told, if nothing says since when.
    timeline.note(pod("late", []), since: nil, at: at(5))
    timeline.note(pod("late", ["10.244.1.10"]), since: nil, at: at(8))
    #expect(timeline.pod(at: IPAddress("10.244.1.10")!, at(5.5)) == nil && timeline.pod(at: IPAddress("10.244.1.10")!, at(9))?.uid == "late")
  }

  @Test func `manifests that are read again leave to earlier flows the pods of before`() {
    var timeline = PodTimeline([pod("a"), pod("stays", ["10.244.1.9"])])
    timeline.replace(by: [pod("b"), pod("stays", ["10.244.1.9"]), pod("new", ["10.244.1.10"])], at: at(200))
    #expect(timeline.pod(at: address, at(199))?.uid == "a" && timeline.pod(at: address, at(201))?.uid == "b")
    #expect(timeline.pod(at: IPAddress("10.244.1.9")!, at(1))?.uid == "stays" && timeline.pod(at: IPAddress("10.244.1.9")!, at(300))?.uid == "stays")
    // Nobody had this address before, so it may have had it all along.
    #expect(timeline.pod(at: IPAddress("10.244.1.10")!, at(1))?.uid == "new")
    timeline.replace(by: [], at: at(300))
    #expect(timeline.pod(at: address, at(299))?.uid == "b" && timeline.pod(at: address, at(301)) == nil)
    timeline.replace(by: [pod("a")], at: at(400))
    #expect(timeline.pod(at: address, at(250))?.uid == "b" && timeline.pod(at: address, at(350)) == nil && timeline.pod(at: address, at(401))?.uid == "a")
  }

  @Test func `what ended long ago is forgotten, and never what lives`() {
    var timeline = PodTimeline([pod("manifest", ["10.244.1.50"])])
    for number in 0..<1000 {
      timeline.note(pod("p\(number)"), since: at(Double(number) * 2), at: at(Double(number) * 2))
      timeline.remove(pod("p\(number)"), at: at(Double(number) * 2 + 1))
    }
    #expect(timeline.pod(at: address, at(1000.5))?.uid == "p500")
    timeline.remove(pod("p999"), at: at(3 * 3600 + 1001))
    #expect(timeline.pod(uid: "p499") == nil && timeline.pod(at: address, at(998.5)) == nil)
    #expect(timeline.pod(at: address, at(1002.5))?.uid == "p501")
    timeline.remove(pod("p999"), at: at(1e9))
    #expect(timeline.pod(uid: "p999") == nil)
    #expect(timeline.pod(at: IPAddress("10.244.1.50")!, at(1e9))?.uid == "manifest")
  }
}

import EgressModel
import Foundation
import Testing

@testable import Host

@Suite struct ContainerNameTests {
  private static let web = String(repeating: "3f4d6b1e", count: 8)
  private static let job = String(repeating: "0c9a8877", count: 8)

  /// As Docker 27 writes it, with names of other things and a variable that looks like one.
  private static let docker =
    #"{"StreamConfig":{},"State":{"Running":true,"Pid":4242},"ID":"\#(web)","Created":"2026-03-02T09:00:00Z","Config":{"Hostname":"web","Env":["X={\"Name\":\"/evil\"}"]},"NetworkSettings":{"Networks":{"bridge":{"IPAMConfig":null}}},"MountPoints":{"/data":{"Type":"volume","Name":"vol1"}},"Name":"/shop_web-1.prod","Driver":"overlay2"}"#

  /// As Podman 4 writes it.
  private static let podman =
    #"[{"id":"\#(job)","names":["nightly"],"image":"abc","layer":"def","metadata":"{\"image-name\":\"x\",\"name\":\"other\"}","created":"2026-03-02T09:00:00Z"},{"id":"\#(String(repeating: "a", count: 64))","image":"abc"},{"id":"\#(String(repeating: "b", count: 64))","names":["last","alias"]}]"#

  @Test func `containers have the names that people gave them`() throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("egress-obs-names-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    let container = directory.appendingPathComponent("docker/\(Self.web)")
    try FileManager.default.createDirectory(at: container, withIntermediateDirectories: true)
    try Self.docker.write(to: container.appendingPathComponent("config.v2.json"), atomically: false, encoding: .utf8)
    try Self.podman.write(to: directory.appendingPathComponent("containers.json"), atomically: false, encoding: .utf8)
    let names = ContainerNames(docker: directory.path + "/docker", podman: directory.path + "/containers.json")
    #expect(names.name(ofContainer: Self.web, "docker") == "shop_web-1.prod")
    #expect(names.name(ofContainer: Self.job, "podman") == "nightly")
    // A control group that does not say whose it is.
    #expect(names.name(ofContainer: Self.web, "container") == "shop_web-1.prod" && names.name(ofContainer: Self.job, "container") == "nightly")
    #expect(names.name(ofContainer: String(repeating: "a", count: 64), "podman") == nil)
    #expect(names.name(ofContainer: String(repeating: "b", count: 64), "podman") == "last")
    #expect(names.name(ofContainer: "../../etc", "docker") == nil && names.name(ofContainer: Self.web, "lxc") == nil)
    #expect(names.name(ofContainer: String(repeating: "c", count: 64), "docker") == nil)
    // Asked once: what is remembered does not need the files any more.
    try FileManager.default.removeItem(at: directory)
    #expect(names.name(ofContainer: Self.web, "docker") == "shop_web-1.prod")
    let owner = CgroupOwner.container(runtime: "docker", id: Self.web)
    let workload = owner.workload(container: { names.name(ofContainer: $0, $1) })
    #expect(workload.name == "shop_web-1.prod" && workload.uid == Self.web && owner.workload().name == "3f4d6b1e3f4d")
  }

  @Test(arguments: [#"{"Name":"/"}"#, #"{"Name":"/a b"}"#, #"{"Name":"/x"#, #"{"Name":"vol"}"#, "", #"{"Name":"/\u001b[31m"}"#])
  func `what is no name of a container is none`(text: String) {
    #expect(ContainerNames.name(inDockerConfiguration: text) == nil)
  }
}

import EgressModel
import Host
import Testing

@Suite struct CgroupOwnerTests {
  static let id = "3f4d6b1e0c9a8877665544332211ffeeddccbbaa99887766554433221100abcd"
  static let uid = "8a6c2f6e-5f0e-4a58-9c3b-0d4f3a1b2c3d"
  static let slice = "8a6c2f6e_5f0e_4a58_9c3b_0d4f3a1b2c3d"
  static let hash = "b1946ac92492d2347c6235b4d2611184"

  static let paths: [(String, CgroupOwner)] = [
    // systemd (systemd.slice(5), systemd.special(7))
    ("/system.slice/nginx.service", .unit(name: "nginx.service", user: nil)),
    ("/system.slice/system-getty.slice/getty@tty1.service", .unit(name: "getty@tty1.service", user: nil)),
    ("/system.slice/system-postgresql.slice/postgresql@15-main.service", .unit(name: "postgresql@15-main.service", user: nil)),
    ("/system.slice/system-openvpn\\x2dclient.slice/openvpn-client@home.service", .unit(name: "openvpn-client@home.service", user: nil)),
    ("/init.scope", .unit(name: "init.scope", user: nil)),
    ("/system.slice/systemd-udevd.service/udev", .unit(name: "systemd-udevd.service", user: nil)),
    ("/system.slice/dbus.socket", .unit(name: "dbus.socket", user: nil)),
    ("/system.slice/_cgroup.service", .unit(name: "cgroup.service", user: nil)),
    ("/system.slice/nginx.service (deleted)", .unit(name: "nginx.service", user: nil)),
    ("/machine.slice/systemd-nspawn@box.service/payload", .unit(name: "systemd-nspawn@box.service", user: nil)),
    ("/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator", .unit(name: "machine-qemu\\x2d1\\x2dvm.scope", user: nil)),
    ("/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox.scope", .unit(name: "app-firefox.scope", user: 1000)),
    (
      "/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-org.gnome.Terminal-4242.scope",
      .unit(name: "app-gnome-org.gnome.Terminal-4242.scope", user: 1000)
    ),
    ("/user.slice/user-1000.slice/user@1000.service/init.scope", .unit(name: "init.scope", user: 1000)),
    ("/user.slice/user-0.slice/user@0.service", .unit(name: "user@0.service", user: nil)),
    ("/user.slice/user-1000.slice/session-3.scope", .session(id: "3", user: 1000)),
    ("/user.slice/user-42.slice/session-c1.scope", .session(id: "c1", user: 42)),
    // Docker: systemd and cgroupfs drivers, rootless, with a systemd inside
    ("/system.slice/docker-\(id).scope", .container(runtime: "docker", id: id)),
    ("/docker/\(id)", .container(runtime: "docker", id: id)),
    ("/user.slice/user-1000.slice/user@1000.service/user.slice/docker-\(id).scope", .container(runtime: "docker", id: id)),
    ("/docker/\(id)/system.slice/nginx.service", .container(runtime: "docker", id: id)),
    ("/actions_job/\(id)", .container(runtime: "container", id: id)),
    ("/system.slice/docker.service", .unit(name: "docker.service", user: nil)),
    // Podman
    ("/machine.slice/libpod-\(id).scope/container", .container(runtime: "podman", id: id)),
    ("/machine.slice/libpod-conmon-\(id).scope", .container(runtime: "podman", id: id)),
    ("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-\(id).scope", .container(runtime: "podman", id: id)),
    ("/libpod_parent/libpod-\(id)", .container(runtime: "podman", id: id)),
    // containerd without Kubernetes, LXC
    ("/default/\(id)", .container(runtime: "containerd", id: id)),
    ("/system.slice/nerdctl-\(id).scope", .container(runtime: "containerd", id: id)),
    ("/lxc.payload.web1/system.slice/ssh.service", .container(runtime: "lxc", id: "web1")),
    ("/lxc/web1", .container(runtime: "lxc", id: "web1")),
    // Kubernetes: systemd driver
    (
      "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod\(slice).slice/cri-containerd-\(id).scope",
      .pod(uid: uid, container: id)
    ),
    ("/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod\(slice).slice/crio-\(id).scope", .pod(uid: uid, container: id)),
    ("/kubepods.slice/kubepods-pod\(slice).slice/docker-\(id).scope", .pod(uid: uid, container: id)),
    ("/kubepods.slice/kubepods-pod\(slice).slice/crio-conmon-\(id).scope", .pod(uid: uid, container: id)),
    ("/kubepods.slice/kubepods-pod\(slice).slice", .pod(uid: uid, container: nil)),
    ("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod\(hash).slice/cri-containerd-\(id).scope", .pod(uid: hash, container: id)),
    (
      "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod\(slice).slice/cri-containerd-\(id).scope",
      .pod(uid: uid, container: id)
    ),
    ("/docker/\(hash)\(hash)/kubelet/kubepods/besteffort/pod\(uid)/\(id)", .pod(uid: uid, container: id)),
    // Kubernetes: cgroupfs driver
    ("/kubepods/burstable/pod\(uid)/\(id)", .pod(uid: uid, container: id)),
    ("/kubepods/pod\(uid)/\(id)", .pod(uid: uid, container: id)),
    ("/kubepods/besteffort/pod\(hash)/\(id)", .pod(uid: hash, container: id)),
    // containerd told to use systemd while the kubelet does not
    ("/system.slice/containerd.service/kubepods-burstable-pod\(slice).slice:cri-containerd:\(id)", .pod(uid: uid, container: id)),
    // the kubelet itself is a unit
    ("/system.slice/kubelet.service", .unit(name: "kubelet.service", user: nil)),
    // nothing known
    ("/", .other(path: "/")),
    ("", .other(path: "")),
    ("/user.slice", .other(path: "/user.slice")),
    ("/kubepods.slice/kubepods-burstable.slice", .other(path: "/kubepods.slice/kubepods-burstable.slice")),
    ("/podinfo/thing", .other(path: "/podinfo/thing")),
    ("/kubepods/podnotauid/x", .other(path: "/kubepods/podnotauid/x")),
    ("/docker/short", .other(path: "/docker/short")),
  ]

  @Test(arguments: paths)
  func `the path of a control group tells its owner`(path: String, expected: CgroupOwner) {
    #expect(CgroupOwner(cgroupPath: path) == expected)
  }

  @Test func `no cut of any path traps`() {
    for (path, _) in Self.paths {
      for count in 0...path.count { _ = CgroupOwner(cgroupPath: String(path.prefix(count))) }
    }
  }

  @Test func `owners become workloads, pods by the inventory only`() {
    #expect(CgroupOwner.unit(name: "nginx.service", user: nil).workload() == Workload(kind: .systemd, name: "nginx.service"))
    #expect(CgroupOwner.container(runtime: "docker", id: Self.id).workload().name == "3f4d6b1e0c9a")
    #expect(CgroupOwner.container(runtime: "lxc", id: "a-rather-long-name").workload().name == "a-rather-long-name")
    #expect(CgroupOwner.session(id: "3", user: 1000).workload(command: "curl") == Workload(kind: .process, name: "curl"))
    #expect(CgroupOwner.session(id: "3", user: 1000).workload().name == "session-3.scope")
    #expect(CgroupOwner.other(path: "/").workload(command: "curl").name == "curl")
    let pod = Workload(kind: .pod, namespace: "shop", name: "web-1", uid: Self.uid)
    #expect(CgroupOwner.pod(uid: Self.uid, container: nil).workload { $0 == Self.uid ? pod : nil } == pod)
    let unknown = CgroupOwner.pod(uid: Self.uid, container: nil).workload()
    #expect(unknown.kind == .container && unknown.uid == Self.uid)
  }

  @Test func `candidates that are one workload are not ambiguous`() {
    let one = SocketOwner(owner: .pod(uid: Self.uid, container: "a"))
    let two = SocketOwner(owner: .pod(uid: Self.uid, container: "b"))
    let pod = Workload(kind: .pod, namespace: "shop", name: "web-1", uid: Self.uid)
    #expect(Attribution.ambiguous([one, two]).workload { _ in pod } == pod)
    let nginx = SocketOwner(owner: .unit(name: "nginx.service", user: nil))
    let workload = Attribution.ambiguous([nginx, one]).workload { _ in pod }
    #expect(workload.kind == .ambiguous)
    #expect(workload.candidates == [Workload(kind: .systemd, name: "nginx.service"), pod])
  }
}

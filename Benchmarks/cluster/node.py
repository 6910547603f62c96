"""A Kubernetes node in network namespaces: pods behind a bridge, the node's own address on the uplink, an nginx behind it."""
import os
import signal
import subprocess
import sys

NODE_NAME, NODE_ADDRESS, SERVER_ADDRESS = "soak-1", "198.18.7.2", "198.18.7.1"


def fail(message):
    print(f"soak: {message}", file=sys.stderr)
    sys.exit(2)


class Node:
    """The namespaces of the node, of the server behind its uplink, and of its pods. Names of this process only, so that two runs never meet."""

    def __init__(self, work):
        self.work = work
        self.name, self.server = f"eob{os.getpid()}n", f"eob{os.getpid()}s"
        self.pods, self.processes = set(), []

    @staticmethod
    def ip(*lines, inside=None):
        where = ["-n", inside] if inside else []
        done = subprocess.run(["ip", *where, "-batch", "-"], input="\n".join(lines), text=True, capture_output=True)
        if done.returncode:
            fail(f"ip: {done.stderr.strip()} in {lines}")

    def inside(self, namespace, *command, **options):
        return subprocess.Popen(["ip", "netns", "exec", namespace, *map(str, command)], **options)

    def start(self, namespace, *command, **options):
        process = self.inside(namespace, *command, **options)
        self.processes.append(process)
        return process

    def up(self):
        node, server = self.name, self.server
        self.ip(f"netns add {node}", f"netns add {server}")
        self.ip(f"link add up0 netns {node} type veth peer name eth0 netns {server}",
                # With an address of its own: else it takes its ports' and changes it as they come and go, and pods lose their gateway.
                f"link add cni0 address 02:00:0a:fa:00:01 netns {node} type bridge")
        self.ip("link set lo up", f"address add {NODE_ADDRESS}/24 dev up0", "link set up0 up", f"route add default via {SERVER_ADDRESS}",
                "address add 10.250.0.1/16 dev cni0", "link set cni0 up", inside=node)
        self.ip("link set lo up", f"address add {SERVER_ADDRESS}/24 dev eth0", "link set eth0 up", inside=server)
        self.inside(node, "sysctl", "-qw", "net.ipv4.ip_forward=1").wait()
        rules = 'table ip nat { chain post { type nat hook postrouting priority 100; oifname "up0" masquerade; }; }'
        if self.inside(node, "nft", rules).wait():
            fail("nft could not set up SNAT; its message is above")
        self.certificate("server", "example.com")
        self.certificate("api", "127.0.0.1")
        (self.work / "nginx.conf").write_text(f"""
            worker_processes 1; pid {self.work}/nginx.pid; error_log {self.work}/nginx.log warn; daemon off;
            events {{ worker_connections 512; }}
            http {{ access_log off; server {{ listen 80; listen 443 ssl; ssl_certificate {self.work}/server.crt; ssl_certificate_key {self.work}/server.key;
              location / {{ return 200 "ok\\n"; }} }} }}""")
        self.start(server, "nginx", "-p", self.work, "-c", self.work / "nginx.conf")

    def certificate(self, name, host):
        kind = "IP" if host[0].isdigit() else "DNS"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={host}",
             "-addext", f"subjectAltName={kind}:{host}", "-keyout", self.work / f"{name}.key", "-out", self.work / f"{name}.crt"],
            check=True, capture_output=True)

    def add_pod(self, name, address):
        number = name.rsplit("-", 1)[1]
        namespace = f"{self.name}-{number}"
        self.pods.add(namespace)
        self.ip(f"netns add {namespace}", f"link add veth{number} netns {self.name} type veth peer name eth0 netns {namespace}")
        self.ip(f"link set veth{number} master cni0 up", inside=self.name)
        self.ip("link set lo up", f"address add {address}/16 dev eth0", "link set eth0 up", "route add default via 10.250.0.1", inside=namespace)
        return namespace

    def remove_pod(self, namespace):
        self.ip(f"netns delete {namespace}")
        self.pods.discard(namespace)

    def down(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        for namespace in [*self.pods, self.server, self.name]:
            # Clients of pods that were not stopped.
            for process in subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True).stdout.split():
                os.kill(int(process), signal.SIGKILL)
            subprocess.run(["ip", "netns", "delete", namespace], capture_output=True)

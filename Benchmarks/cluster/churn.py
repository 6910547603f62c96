"""Pods that come and go on a node, and what the API tells of them."""
import heapq
import json
import random
import sys
import time
import uuid
from pathlib import Path

from cluster.node import NODE_ADDRESS, NODE_NAME, SERVER_ADDRESS

# Namespace, name, and the kind of its pods' owner.
WORKLOADS = [("shop", "web", "ReplicaSet"), ("shop", "cart", "ReplicaSet"), ("payments", "worker", "ReplicaSet"), ("build", "runner", "Job")]
# How late the API is, in seconds.
LATENESS = (0.2, 1.5)
# How long a Job's pod is told of after it has succeeded; others have its address by then.
KEPT = 90
CLIENT = Path(__file__).with_name("client.py")


class Churn:
    """Pods that come and go, and what the API tells of them."""

    def __init__(self, node, options, api):
        self.node, self.options, self.api = node, options, api
        self.addresses = [f"10.250.{1 + index // 200}.{1 + index % 200}" for index in range(options.addresses)]
        self.alive, self.made = {}, 0
        self.plan, self.order = [], 0
        self.tell_of_cluster()
        for index in range(options.pods):
            self.at(time.time() + 0.2 * index, self.start)
        self.at(time.time() + 0.2 * options.pods, self.birth)

    def at(self, moment, action):
        self.order += 1
        heapq.heappush(self.plan, (moment, self.order, action))

    def late(self, kind, pod):
        self.at(time.time() + random.uniform(*LATENESS), lambda: self.tell(kind, pod))

    def tell_of_cluster(self):
        self.tell("ADDED", {
            "kind": "Node", "metadata": {"name": NODE_NAME}, "spec": {"podCIDR": "10.250.0.0/16", "podCIDRs": ["10.250.0.0/16"]},
            "status": {"addresses": [{"type": "InternalIP", "address": NODE_ADDRESS}]}})
        for namespace in sorted({workload[0] for workload in WORKLOADS}):
            self.tell("ADDED", {"kind": "Namespace", "metadata": {"name": namespace, "labels": {"kubernetes.io/metadata.name": namespace}}})

    def tell(self, kind, thing):
        self.api.stdin.write(json.dumps({"type": kind, "object": thing}) + "\n")
        self.api.stdin.flush()

    def run(self, until, meanwhile):
        """Lets pods come and go until then, with `meanwhile` about every second."""
        looked = 0
        while time.time() < until:
            if time.time() - looked >= 1:
                looked = time.time()
                meanwhile()
            while self.plan and self.plan[0][0] <= time.time():
                heapq.heappop(self.plan)[2]()
            time.sleep(min(0.05, max(0.0, (self.plan[0][0] if self.plan else until) - time.time())))

    def birth(self):
        # One more than is asked for, because a pod needs a moment before its first flow.
        self.at(time.time() + self.options.life / (self.options.pods + 1), self.birth)
        # Half of the addresses stay free, so that none is used again at once.
        if len(self.alive) < len(self.addresses):
            self.start()

    def start(self):
        namespace, workload, owner = random.choice(WORKLOADS)
        self.made += 1
        name = f"{workload}-7d9c5b6f4-{self.made}"
        # As host-local gives them: each in turn, so that one that was freed is used again as late as can be.
        address = self.addresses.pop(0)
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        pod = {
            "kind": "Pod", "apiVersion": "v1",
            "metadata": {
                "name": name, "namespace": namespace, "uid": str(uuid.uuid4()), "creationTimestamp": moment,
                "labels": {"app": workload, "pod-template-hash": "7d9c5b6f4"},
                "ownerReferences": [{"kind": owner, "name": f"{workload}-7d9c5b6f4", "uid": "1", "controller": True}]},
            "spec": {"nodeName": NODE_NAME, "serviceAccountName": "default", "containers": [{"name": "main", "image": "example"}]},
            "status": {"phase": "Pending"},
        }
        self.tell("ADDED", pod)
        inside = self.node.add_pod(name, address)
        process = self.node.inside(inside, sys.executable, "-S", "-E", CLIENT, f"{namespace}/{name}", address, self.options.rate / self.options.pods,
                                   SERVER_ADDRESS, self.options.truth, stderr=self.options.errors)
        running = dict(pod, status={"phase": "Running", "startTime": moment, "podIP": address, "podIPs": [{"ip": address}]})
        self.late("MODIFIED", running)
        self.alive[name] = (process, inside, running, address)
        self.at(time.time() + self.options.life * random.uniform(0.5, 1.5), lambda: self.stop(name))

    def stop(self, name):
        if name not in self.alive:
            return
        process, inside, pod, address = self.alive.pop(name)
        isJob = pod["metadata"]["ownerReferences"][0]["kind"] == "Job"
        if not isJob:
            pod = dict(pod, metadata=dict(pod["metadata"], deletionTimestamp=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())))
            self.tell("MODIFIED", pod)
        process.terminate()
        process.wait()
        self.node.remove_pod(inside)
        self.addresses.append(address)
        if isJob:
            self.late("MODIFIED", dict(pod, status=dict(pod["status"], phase="Succeeded")))
            self.at(time.time() + KEPT, lambda: self.tell("DELETED", pod))
        else:
            self.late("DELETED", pod)

    def end(self):
        """Ends what is alive, and waits until the API has told of it."""
        self.plan = [entry for entry in self.plan if entry[2] != self.birth]
        heapq.heapify(self.plan)
        for name in list(self.alive):
            self.stop(name)
        self.run(time.time() + LATENESS[1] + 0.1, lambda: None)

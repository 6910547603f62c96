"""What was recorded, against what was made."""
import bisect
import calendar
import json
import subprocess
import time
from collections import Counter, defaultdict

from cluster.node import NODE_ADDRESS, SERVER_ADDRESS


def compare(binary, database, options):
    """Counts what became of each flow that was made."""
    made = defaultdict(list)
    for line in options.truth.read_text().splitlines():
        flow = json.loads(line)
        made[(flow["source"], flow["port"])].append(flow)
    for flows in made.values():
        flows.sort(key=lambda flow: flow["start"])
    said = subprocess.run([binary, "flows", "--db", database, "-o", "ndjson"], capture_output=True, text=True, check=True).stdout
    found, other, examples = defaultdict(list), Counter(), {}
    for line in said.splitlines():
        record = json.loads(line)
        source, destination = record["source"], record["destination"]
        # Interfaces that come up tell their neighbours.
        if SERVER_ADDRESS not in (source["ip"], destination["ip"]):
            continue
        flows = made.get((f"{source['ip']}:{source['port']}", destination["port"]), [])
        start = seconds(record["start"])
        index = bisect.bisect_right([flow["start"] for flow in flows], start + 0.5) - 1
        if index >= 0 and start - flows[index]["start"] < 10:
            found[id(flows[index])].append(record)
        else:
            kind = "of the node's own address (SNAT)" if source["ip"] == NODE_ADDRESS else "that nobody made"
            other[kind] += 1
            examples.setdefault(kind, ("nothing", [record]))
    outcome = Counter()
    for flow in (flow for flows in made.values() for flow in flows):
        records = found[id(flow)]
        kinds = ["missing"] if not records else [] if len(records) == 1 else ["more than once"]
        if records:
            kinds += fault(flow, records[0])
        outcome["made"] += 1
        outcome["right"] += not kinds
        for kind in kinds:
            outcome[kind] += 1
            examples.setdefault(kind, (flow, records))
    return outcome, other, examples


def fault(flow, record):
    workload = record.get("workload") or {}
    kind, name = workload.get("kind"), f"{workload.get('namespace')}/{workload.get('name')}"
    faults = []
    if kind != "pod":
        faults.append("without a pod")
    elif name != flow["pod"]:
        faults.append("with a wrong pod")
    if record.get("name") != flow["host"]:
        faults.append("with a wrong name or none")
    return faults


def seconds(text):
    """`2026-03-02T09:00:02.5Z` as seconds of the epoch."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + (fraction or "0"))

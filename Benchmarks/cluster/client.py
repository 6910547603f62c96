"""What runs in a pod: usage: client.py POD ADDRESS FLOWS-A-SECOND SERVER TRUTH-FILE"""
import json
import os
import random
import signal
import socket
import ssl
import sys
import time

HOSTS = [f"{service}.{domain}" for service in ("api", "cdn", "telemetry", "auth", "queue") for domain in ("example.com", "example.net", "example.org")]


def main(pod, address, rate, server, truth):
    """Flows to the server until it is told to stop, each with a line in the truth file."""
    context = ssl._create_unverified_context()
    state = {"asleep": False, "over": False}

    # Not in the middle of a flow: what has a line must be there.
    def stop(*_):
        state["over"] = True
        if state["asleep"]:
            sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    log = os.open(truth, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    while not state["over"]:
        host, tls = random.choice(HOSTS), random.random() < 0.5
        began = time.time()
        try:
            with socket.socket() as connection:
                connection.settimeout(5)
                # The port is taken and written down before the first packet, so that a flow that is cut short counts as well.
                connection.bind((address, 0))
                port = connection.getsockname()[1]
                line = json.dumps({"pod": pod, "start": began, "source": f"{address}:{port}", "port": 443 if tls else 80, "host": host})
                os.write(log, line.encode() + b"\n")
                connection.connect((server, 443 if tls else 80))
                with context.wrap_socket(connection, server_hostname=host) if tls else connection as stream:
                    stream.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                    while stream.recv(65536):
                        pass
        except OSError as error:
            print(f"{pod}: {host}: {error}", file=sys.stderr)
        state["asleep"] = True
        time.sleep(0 if state["over"] else max(0.0, random.uniform(0.5, 1.5) / float(rate) - (time.time() - began)))
        state["asleep"] = False


if __name__ == "__main__":
    main(*sys.argv[1:])

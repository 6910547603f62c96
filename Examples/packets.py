"""Frames for the sample capture: Ethernet, IPv4 and IPv6, TCP, UDP, DNS, TLS, SSH and NTP, with right lengths and checksums.

Standard library only. Nothing here is random: what would be random on a wire is drawn from SHAKE-256 of a label.
"""
import hashlib
import ipaddress
import struct

MSS = 1348  # what a pod behind an overlay offers: 1400 octets less IPv6, TCP and 12 octets of options


def noise(label, count):
    """`count` octets that look random and are always the same for one label."""
    return hashlib.shake_256(label.encode()).digest(count)


def number(label, low, high):
    return low + int.from_bytes(noise(label, 4), "big") % (high - low + 1)


def checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Host:
    """One end of a conversation: an address, its MAC address, and the hop limit its packets have when we see them."""

    def __init__(self, address, mac, hops=64):
        self.ip = ipaddress.ip_address(address)
        self.mac = bytes.fromhex(mac.replace(":", ""))
        self.hops = hops


class Capture:
    """Frames in the order of their time, written as a nanosecond pcap file of Ethernet frames."""

    def __init__(self):
        self.frames = []
        self.identification = 0

    def packet(self, time, source, destination, protocol, segment):
        if source.ip.version == 4:
            self.identification = (self.identification + 1) & 0xFFFF
            header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), self.identification, 0x4000, source.hops, protocol, 0,
                                 source.ip.packed, destination.ip.packed)
            header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
            kind = 0x0800
        else:
            header = struct.pack("!IHBB16s16s", 6 << 28, len(segment), protocol, source.hops, source.ip.packed, destination.ip.packed)
            kind = 0x86DD
        self.frames.append((time, len(self.frames), destination.mac + source.mac + struct.pack("!H", kind) + header + segment))

    def bytes(self):
        out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)]
        for time, _, frame in sorted(self.frames):
            out.append(struct.pack("<IIII", time // 10**9, time % 10**9, len(frame), len(frame)) + frame)
        return b"".join(out)


def pseudo_header(source, destination, protocol, length):
    if source.ip.version == 4:
        return source.ip.packed + destination.ip.packed + struct.pack("!BBH", 0, protocol, length)
    return source.ip.packed + destination.ip.packed + struct.pack("!IHBB", length, 0, 0, protocol)


def udp(source, destination, source_port, destination_port, payload):
    length = 8 + len(payload)
    bare = struct.pack("!HHHH", source_port, destination_port, length, 0) + payload
    value = checksum(pseudo_header(source, destination, 17, length) + bare) or 0xFFFF
    return bare[:6] + struct.pack("!H", value) + payload


FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
OFFER = struct.pack("!BBH8B", 2, 4, MSS, 1, 1, 4, 2, 1, 3, 3, 7)  # segment size, selective acknowledgement, window scale 7


class TCP:
    """One TCP connection told from the client's side; `self.time` moves with what is sent."""

    def __init__(self, capture, time, client, server, port):
        self.capture, self.time, self.client, self.server, self.port = capture, time, client, server, port
        label = f"{client.ip} {server.ip} {port} {time}"
        self.label = label
        self.source_port = number("port " + label, 32768, 60999)
        self.round_trip = number("rtt " + label, 300_000, 900_000) if server.hops == 64 else number("rtt " + label, 8_000_000, 38_000_000)
        self.sequence = {True: number("isn c" + label, 0, 2**32 - 1), False: number("isn s" + label, 0, 2**32 - 1)}

    def segment(self, outward, flags, payload=b"", options=b""):
        source, destination = (self.client, self.server) if outward else (self.server, self.client)
        ports = (self.source_port, self.port) if outward else (self.port, self.source_port)
        acknowledged = self.sequence[not outward] if flags & ACK else 0
        bare = struct.pack("!HHIIBBHHH", *ports, self.sequence[outward], acknowledged, (20 + len(options)) // 4 << 4, flags, 502, 0, 0) + options + payload
        value = checksum(pseudo_header(source, destination, 6, len(bare)) + bare)
        self.capture.packet(self.time, source, destination, 6, bare[:16] + struct.pack("!H", value) + bare[18:])
        self.sequence[outward] = (self.sequence[outward] + len(payload) + (1 if flags & (SYN | FIN) else 0)) & 0xFFFFFFFF
        self.time += 20_000

    def syn(self):
        self.segment(True, SYN, options=OFFER)

    def open(self):
        self.syn()
        self.time += self.round_trip
        self.segment(False, SYN | ACK, options=OFFER)
        self.segment(True, ACK)
        return self

    def unanswered(self, waits):
        """A SYN and its retransmissions, `waits` seconds apart; nothing comes back."""
        first = self.sequence[True]
        self.syn()
        for wait in waits:
            self.time += wait * 10**9
            self.sequence[True] = first
            self.syn()

    def refused(self):
        self.syn()
        self.time += self.round_trip
        self.segment(False, RST | ACK)

    def send(self, outward, payload):
        """Payload in full segments, then the other side's acknowledgement."""
        for start in range(0, len(payload), MSS):
            piece = payload[start:start + MSS]
            self.segment(outward, ACK | (PSH if start + MSS >= len(payload) else 0), piece)
        self.time += self.round_trip // 2
        self.segment(not outward, ACK)
        return self

    def close(self):
        self.segment(True, FIN | ACK)
        self.time += self.round_trip
        self.segment(False, FIN | ACK)
        self.segment(True, ACK)


# DNS (RFC 1035)

TYPES = {"A": 1, "CNAME": 5, "SOA": 6, "AAAA": 28}


class Message:
    """A DNS message with name compression."""

    def __init__(self, identifier, flags, name, kind, answers=(), authority=()):
        self.offsets = {}
        self.data = struct.pack("!HHHHHH", identifier, flags, 1, len(answers), len(authority), 0)
        self.name(name)
        self.data += struct.pack("!HH", TYPES[kind], 1)
        for record in list(answers) + list(authority):
            self.record(*record)

    def name(self, name):
        labels = name.split(".")
        for index in range(len(labels)):
            rest = ".".join(labels[index:])
            if rest in self.offsets:
                self.data += struct.pack("!H", 0xC000 | self.offsets[rest])
                return
            self.offsets[rest] = len(self.data)
            self.data += bytes([len(labels[index])]) + labels[index].encode()
        self.data += b"\0"

    def record(self, owner, kind, ttl, value):
        self.name(owner)
        self.data += struct.pack("!HHIH", TYPES[kind], 1, ttl, 0)
        start = len(self.data)
        if kind in ("A", "AAAA"):
            self.data += ipaddress.ip_address(value).packed
        elif kind == "CNAME":
            self.name(value)
        else:
            self.name("ns." + value)
            self.name("hostmaster." + value)
            self.data += struct.pack("!IIIII", 2026030201, 7200, 1800, 86400, 30)
        self.data = self.data[:start - 2] + struct.pack("!H", len(self.data) - start) + self.data[start:]


# TLS 1.3 (RFC 8446)

X25519, X25519MLKEM768 = 0x001D, 0x11EC
SHARES = {X25519: (32, 32), X25519MLKEM768: (1216, 1120)}  # what client and server send, in octets


def vector(width, data):
    return len(data).to_bytes(width, "big") + data


def extension(kind, data):
    return struct.pack("!H", kind) + vector(2, data)


def record(kind, data, version=0x0303):
    return struct.pack("!BH", kind, version) + vector(2, data)


def client_hello(label, name=None, protocols=("h2", "http/1.1"), post_quantum=False):
    groups = ([X25519MLKEM768] if post_quantum else []) + [X25519, 0x0017, 0x0018]
    shares = groups[:2] if post_quantum else groups[:1]
    key_share = b"".join(struct.pack("!H", group) + vector(2, noise(f"share {group} {label}", SHARES[group][0])) for group in shares)
    signatures = struct.pack("!8H", 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601)
    extensions = [
        extension(0, vector(2, b"\0" + vector(2, name.encode()))) if name else b"",
        extension(11, vector(1, b"\0")),
        extension(10, vector(2, struct.pack(f"!{len(groups)}H", *groups))),
        extension(35, b""),
        extension(16, vector(2, b"".join(vector(1, protocol.encode()) for protocol in protocols))) if protocols else b"",
        extension(23, b""),
        extension(13, vector(2, signatures)),
        extension(43, vector(1, struct.pack("!HH", 0x0304, 0x0303))),
        extension(45, vector(1, b"\x01")),
        extension(51, vector(2, key_share)),
    ]
    if post_quantum:
        # Browsers shuffle their extensions, so the name may stand in the second segment.
        extensions.reverse()
    extensions = b"".join(extensions)
    suites = struct.pack("!9H", 0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8)
    body = b"\x03\x03" + noise("random " + label, 32) + vector(1, noise("session " + label, 32)) + vector(2, suites) + b"\x01\0" + vector(2, extensions)
    return record(22, b"\x01" + vector(3, body), version=0x0301)


def server_flight(label, post_quantum=False):
    group = X25519MLKEM768 if post_quantum else X25519
    extensions = extension(43, b"\x03\x04") + extension(51, struct.pack("!H", group) + vector(2, noise("server share " + label, SHARES[group][1])))
    body = b"\x03\x03" + noise("server random " + label, 32) + vector(1, noise("session " + label, 32)) + b"\x13\x01\0" + vector(2, extensions)
    return record(22, b"\x02" + vector(3, body)) + record(20, b"\x01") + sealed("certificate " + label, 2380)


def sealed(label, count):
    """Encrypted records with `count` octets of ciphertext in all."""
    out = b""
    while count > 0:
        piece = min(count, 4096)
        out += record(23, noise(f"sealed {label} {count}", piece))
        count -= piece
    return out


# SSH (RFC 4253)

def ssh_packet(payload):
    padding = 8 - (5 + len(payload)) % 8
    padding += 8 if padding < 4 else 0
    return struct.pack("!IB", 1 + len(payload) + padding, padding) + payload + b"\0" * padding


def ssh_kexinit(label):
    lists = ["curve25519-sha256", "ssh-ed25519"] + ["aes128-gcm@openssh.com"] * 2 + ["hmac-sha2-256"] * 2 + ["none"] * 2 + ["", ""]
    return ssh_packet(b"\x14" + noise("cookie " + label, 16) + b"".join(vector(4, names.encode()) for names in lists) + b"\0\0\0\0\0")


# NTP (RFC 5905)

def ntp(mode, time, origin=b"\0" * 8):
    stamp = struct.pack("!II", time // 10**9 + 2_208_988_800, (time % 10**9 << 32) // 10**9)
    stratum = 0 if mode == 3 else 2
    return struct.pack("!BBbbII4s", 4 << 3 | mode, stratum, 6, -20, 0, 0, b"\0\0\0\0" if mode == 3 else b"\xc0\0\x02\x01") \
        + (b"\0" * 8 if mode == 3 else stamp) + origin + (b"\0" * 8 if mode == 3 else stamp) + stamp

"""Asks whom a name is, by multicast, once (RFC 6762, 5.1): prints an IPv4 address, or ``nobody`` and fails."""

import socket
import struct
import sys

GROUP = ("224.0.0.251", 5353)
ADDRESS, INTERNET = 1, 1

labels = sys.argv[1].split(".")
name = b"".join(bytes([len(one)]) + one.encode() for one in labels) + b"\0"
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.settimeout(2)
asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("192.168.77.1"))
asking.sendto(struct.pack(">6H", 7, 0, 1, 0, 0, 0) + name + struct.pack(">HH", ADDRESS, INTERNET), GROUP)
try:
    answer = asking.recv(9_000)
except TimeoutError:
    sys.stdout.write("nobody\n")
    raise SystemExit(1) from None
# A legacy answer repeats the question; the first record's address ends what comes after it.
_, _, questions, answers, _, _ = struct.unpack(">6H", answer[:12])
assert answers, answer
at = 12 + questions * (len(name) + 4)
at += 2 if answer[at] >= 0xC0 else len(name)
kind, _, _, length = struct.unpack(">HHIH", answer[at : at + 10])
assert (kind, length) == (ADDRESS, 4), answer
sys.stdout.write(socket.inet_ntoa(answer[at + 10 : at + 14]) + "\n")

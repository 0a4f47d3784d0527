"""A peer outside of the sandbox: TCP on port 80 and UDP on 9000 tell each caller its own address, and a DNS
server on port 53 answers from a table. Writes what came to standard output, one line each, before it answers.
Only with `internet` is there a DNS server."""

import socket
import struct
import sys
import threading

NAMES = {
    "ok.example.org": ["203.0.113.1"],
    "nine.example.org": ["203.0.113.9"],
    "a.wild.example.org": ["203.0.113.9"],
    "rebind.example.org": ["10.1.2.3", "169.254.169.254", "127.0.0.1"],
    "mixed.example.org": ["10.1.2.3", "203.0.113.1"],
    "big.example.org": ["203.0.113.%d" % i for i in range(1, 101)],
}
ALIASES = {"alias.example.org": "ok.example.org", "loop.example.org": "loop.example.org"}


def log(*words):
    print(*words, flush=True)


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def answer(query, is_stream):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    question = query[12 : at + 5]
    kind = struct.unpack(">H", query[at + 1 : at + 3])[0]
    asked = ".".join(labels).lower()
    log("asked", asked, kind, "tcp" if is_stream else "udp")
    records, target = [], asked
    if asked in ALIASES:
        target = ALIASES[asked]
        data = name(target)
        records.append(b"\xc0\x0c" + struct.pack(">HHIH", 5, 1, 300, len(data)) + data)
    owner = b"\xc0\x0c" if target == asked else name(target)
    if kind == 1:
        for address in NAMES.get(target, []):
            records.append(owner + struct.pack(">HHIH", 1, 1, 300, 4) + socket.inet_aton(address))
        # Nobody asked for this one.
        records.append(name("stray.example.org") + struct.pack(">HHIH", 1, 1, 300, 4) + b"\xcb\x00\x71\x63")
    if kind == 28:
        records.append(owner + struct.pack(">HHIH", 28, 1, 300, 16) + socket.inet_pton(socket.AF_INET6, "2001:db8::1"))
    known = target in NAMES or asked in ALIASES
    flags = 0x8180 if known else 0x8183
    body = question + b"".join(records)
    if len(body) > 500 and not is_stream:
        return query[:2] + struct.pack(">HHHHH", flags | 0x0200, 1, 0, 0, 0) + question
    return query[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + body


def dns_datagrams(server):
    while True:
        query, client = server.recvfrom(4096)
        # A forger that does not know the id is not believed.
        forged = bytearray(answer(query, False))
        forged[0] ^= 0x55
        server.sendto(bytes(forged), client)
        server.sendto(answer(query, False), client)


def dns_streams(server):
    while True:
        client, _ = server.accept()
        with client:
            length = struct.unpack(">H", client.recv(2))[0]
            reply = answer(client.recv(length), True)
            client.sendall(struct.pack(">H", len(reply)) + reply)


def plain(address):
    return address[0].removeprefix("::ffff:")


def tell_streams(server):
    while True:
        client, address = server.accept()
        with client:
            log("tcp", plain(address))
            client.sendall(plain(address).encode())


def tell_datagrams(server):
    while True:
        data, address = server.recvfrom(100)
        log("udp", plain(address), data.decode())
        server.sendto(plain(address).encode(), address)


def bound(kind, port, address="::"):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.socket(family, kind)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    if kind == socket.SOCK_STREAM:
        server.listen(16)
    return server


serving = [
    (tell_streams, bound(socket.SOCK_STREAM, 80)),
    (tell_datagrams, bound(socket.SOCK_DGRAM, 9000)),
]
if sys.argv[1:] == ["internet"]:
    serving.append((dns_datagrams, bound(socket.SOCK_DGRAM, 53, "203.0.113.53")))
    serving.append((dns_streams, bound(socket.SOCK_STREAM, 53, "203.0.113.53")))
for body, server in serving:
    threading.Thread(target=body, args=(server,), daemon=True).start()
log("ready")
# Ends with whoever started it.
sys.stdin.read()

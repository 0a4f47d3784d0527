"""One try from inside a sandbox's net namespace; prints one line with what came of it.

tcp ADDRESS [PORT] | udp ADDRESS TEXT | dns SERVER NAME TYPE [tcp|hostile] | spoof SOURCE ADDRESS TEXT | bind PORT"""

import errno
import socket
import struct
import sys

# For what is dropped; what is let through, or refused, answers at once.
TIMEOUT = 2


def tcp(address, port="80"):
    with socket.create_connection((address, int(port)), TIMEOUT) as peer:
        return "reached " + peer.recv(100).decode()


def udp(address, text):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(TIMEOUT)
        peer.sendto(text.encode(), (address, 9000))
        return "reached " + peer.recv(100).decode()


def spoof(source, address, text):
    payload = text.encode()
    datagram = struct.pack(">HHHH", 4000, 9000, 8 + len(payload), 0) + payload
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0)
    header += socket.inet_aton(source) + socket.inet_aton(address)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as peer:
        peer.sendto(header + datagram, (address, 0))
    return "sent"


def bind(port):
    with socket.socket() as server:
        server.bind(("127.0.0.1", int(port)))
    return "bound"


def exact(peer, count):
    data = b""
    while len(data) < count:
        more = peer.recv(count - len(data))
        if not more:
            break
        data += more
    return data


def skip_name(reply, at):
    while True:
        if reply[at] & 0xC0:
            return at + 2
        if reply[at] == 0:
            return at + 1
        at += 1 + reply[at]


def dns(server, name, kind, how="udp"):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\0" + struct.pack(">HH", int(kind), 1)
    if how == "tcp":
        with socket.create_connection((server, 53), TIMEOUT) as peer:
            peer.sendall(struct.pack(">H", len(query)) + query)
            reply = exact(peer, struct.unpack(">H", exact(peer, 2))[0])
    else:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.settimeout(20)
            peer.connect((server, 53))
            if how == "hostile":
                for junk in (b"", b"\0" * 11, b"\xff" * 512, query[:20], query[:12] + b"\xc0\x0c\0\1\0\1", query * 3):
                    peer.send(junk)
            peer.send(query)
            reply = peer.recv(4096)
            # Junk may have been answered first.
            while how == "hostile" and reply[:2] != query[:2] or reply[3] & 15 == 1:
                reply = peer.recv(4096)
    flags, _, count = struct.unpack(">HHH", reply[2:8])
    at, found = 12 + len(labels) + 5, []
    for _ in range(count):
        at = skip_name(reply, at)
        record, _, _, length = struct.unpack(">HHIH", reply[at : at + 10])
        data = reply[at + 10 : at + 10 + length]
        found.append(socket.inet_ntoa(data) if record == 1 else "type%d" % record)
        at += 10 + length
    return " ".join(["code%d" % (flags & 15)] + (["cut"] if flags & 0x0200 else []) + found)


try:
    print(globals()[sys.argv[1]](*sys.argv[2:]))
except OSError as error:
    print("failed", errno.errorcode.get(error.errno, error))

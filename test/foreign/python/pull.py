"""Pulls one list over mutual TLS with Debian's grpcio and recomputes its Merkle root (RFC 6962).

Shares nothing with the project but proto/. Usage:
  pull.py STUBS_DIR ADDRESS ORIGIN CA CERT KEY
Prints `SIZE ROOT_HEX` of what it computed; exits 1 when that differs from the signed checkpoint.
"""

import base64
import hashlib
import struct
import sys

sys.path.insert(0, sys.argv[1])

import grpc  # noqa: E402
from hashfed.v1 import list_pb2, list_service_pb2_grpc  # noqa: E402


def read(path):
    with open(path, "rb") as file:
        return file.read()


def leaf_hashes(bundle):
    at = 0
    while at < len(bundle):
        (length,) = struct.unpack_from(">H", bundle, at)
        at += 2
        if length == 0:  # erased: the leaf hash itself
            yield bundle[at : at + 32]
            at += 32
        else:
            yield hashlib.sha256(b"\x00" + bundle[at : at + length]).digest()
            at += length


class Tree:
    """RFC 6962 root by merging equal subtrees, as the hashes arrive."""

    def __init__(self):
        self.stack = []  # (height, hash)
        self.size = 0

    def append(self, leaf):
        node = (0, leaf)
        while self.stack and self.stack[-1][0] == node[0]:
            left = self.stack.pop()[1]
            node = (node[0] + 1, hashlib.sha256(b"\x01" + left + node[1]).digest())
        self.stack.append(node)
        self.size += 1

    def root(self):
        if not self.stack:
            return hashlib.sha256(b"").digest()
        node = self.stack[-1][1]
        for _, left in reversed(self.stack[:-1]):
            node = hashlib.sha256(b"\x01" + left + node).digest()
        return node


def main():
    _, _, address, origin, ca, cert, key = sys.argv
    credentials = grpc.ssl_channel_credentials(read(ca), read(key), read(cert))
    with grpc.secure_channel(address, credentials) as channel:
        stub = list_service_pb2_grpc.ListServiceStub(channel)
        answer = stub.GetCheckpoint(list_pb2.GetCheckpointRequest(origin=origin), timeout=10)
        body = answer.checkpoint.note.decode().split("\n\n")[0].split("\n")
        assert body[0] == origin, "checkpoint of another origin"
        size, signed_root = int(body[1]), base64.b64decode(body[2])
        tree = Tree()
        request = list_pb2.PullEntriesRequest(origin=origin, to=size)
        setattr(request, "from", 0)
        for part in stub.PullEntries(request, timeout=60):
            assert part.first_index == tree.size, "a gap between bundles"
            for leaf in leaf_hashes(part.bundle):
                tree.append(leaf)
    print(tree.size, tree.root().hex())
    sys.exit(0 if tree.size == size and tree.root() == signed_root else 1)


main()

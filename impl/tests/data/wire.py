"""Writes wire.txt and preimages.txt from the description of the format alone: `python3 wire.py` in this folder.

The content of the messages is that of tests/wire/vectors.rs.
"""

import hashlib


def sha3(data):
    return hashlib.sha3_256(data).digest()


def run(first, length):
    """Bytes that count up."""
    return bytes((first + i) % 256 for i in range(length))


def number(value, width):
    return value.to_bytes(width, "big")


def tag(text):
    return text.encode().ljust(16, b"\0")


CHAIN, EPOCH = run(0x01, 32), number(0x0203040506070809, 8)
A, B, SEED = run(0x20, 32), run(0x30, 32), run(0x40, 32)


def place(round, subround):
    return number(round, 8) + number(subround, 4)


def preimage(name, round, subround, subject=bytes(32)):
    return tag(name) + CHAIN + EPOCH + place(round, subround) + subject


def certificate(statement, signers):
    bitmap = bytes([sum(1 << signer for signer in signers)])
    return statement + number(7, 2) + bitmap + run(0x90, 48)


NOTARIZATION = certificate(place(4, 1) + A, [0, 1, 3, 4, 6])
TIMEOUT_CERTIFICATE = certificate(place(5, 0), [1, 2, 3, 5, 6])
FINALITY_CERTIFICATE = certificate(place(4, 1) + A, [0, 2, 3, 5, 6])


def signed(statement):
    return statement + number(0x0102, 2) + b"\1" + run(0x70, 48)


# The generator of G1, a point that everybody knows; a signature of 96 bytes has to be on the curve.
PRIME = int(
    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab", 16
)
X = int("17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb", 16)
Y = int("08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1", 16)
assert (Y * Y - X**3 - 4) % PRIME == 0


def about(block):
    """A signed ticket, proposal or vote: they look alike and differ in their preimages."""
    return signed(place(5, 1) + block)


def optional(value):
    return b"\1" + value if value else b"\0"


# What a block says of the end of its epoch: the encoding, the same in a preimage (a fixed number of bytes), and the epoch items.
RECORD = run(0xA0, 32)
OPEN = b"\0", bytes(73), b""
CLOSES = b"\1" + RECORD, b"\1" + number(0, 8) + bytes(32) + RECORD, b"items"
TAIL = b"\2" + number(3, 8) + B + RECORD, b"\2" + number(3, 8) + B + RECORD, b""


def block(parent, end):
    """A block names a final block if it has a parent certificate: genesis needs neither."""
    time = number(0x18800000000, 8)
    head = CHAIN + EPOCH + place(5, 1) + number(6, 2) + A
    certificates = optional(parent) + optional(FINALITY_CERTIFICATE if parent else None)
    closing, _, items = end
    contents = number(len(items), 4) + items + number(7, 4) + b"payload"
    return head + certificates + SEED + run(0x50, 48) + time + closing + contents


def block_id(parent, end):
    digest = sha3(b"zus/certified/v1" + parent) if parent else bytes(32)
    root = sha3(tag("zus/payload/v1") + b"payload")
    named = number(4, 8) + sha3(b"zus/final-crt/v1" + FINALITY_CERTIFICATE) if parent else number(0, 8) + bytes(32)
    _, closing, items = end
    ends = closing + sha3(tag("zus/items/v1") + items)
    fields = CHAIN + EPOCH + place(5, 1) + number(6, 2) + A + digest + named + SEED + root + ends
    return sha3(tag("zus/block/v2") + fields + number(0x18800000000, 8))


EVIDENCE = {
    "proposals": about(A) + about(B),
    "tickets": about(A) + about(B),
    "finality-votes": about(A) + about(B),
    "ticket-against-vote": about(A) + about(B),
    "notarizations": NOTARIZATION + NOTARIZATION,
    "notarization-against-finality": NOTARIZATION + FINALITY_CERTIFICATE,
    "finality-certificates": FINALITY_CERTIFICATE + FINALITY_CERTIFICATE,
}

MESSAGES = {
    "beacon-share-round": b"\0" + b"\0" + number(5, 8) + number(3, 2) + run(0x60, 48),
    "beacon-share-chained": b"\0" + b"\1" + place(5, 2) + SEED + number(3, 2) + run(0x60, 48),
    "proposal": b"\1" + block(NOTARIZATION, CLOSES) + b"\1" + TIMEOUT_CERTIFICATE + run(0x80, 48),
    "proposal-on-genesis": b"\1" + block(None, OPEN) + b"\0" + run(0x80, 48),
    "proposal-in-the-tail": b"\1" + block(NOTARIZATION, TAIL) + b"\0" + run(0x80, 48),
    "ticket": b"\2" + about(A),
    "ticket-uncompressed": b"\2" + place(5, 1) + A + number(0x0102, 2) + b"\2" + number(X, 48) + number(Y, 48),
    "notarization": b"\3" + NOTARIZATION,
    "timeout": b"\4" + signed(place(5, 1)),
    "timeout-certificate": b"\5" + TIMEOUT_CERTIFICATE,
    "finality-vote": b"\6" + about(A),
    "finality-certificate": b"\7" + FINALITY_CERTIFICATE,
    **{
        f"evidence-{name}": b"\x08" + bytes([kind]) + content
        for kind, (name, content) in enumerate(EVIDENCE.items())
    },
    "chain-request": b"\x09" + number(9, 8) + b"\1" + A,
    "chain-request-head": b"\x09" + number(9, 8) + b"\0",
    "chain-response": b"\x0a\2" + block(None, OPEN) + block(NOTARIZATION, CLOSES) + NOTARIZATION + b"\1" + FINALITY_CERTIFICATE,
}

PREIMAGES = {
    "preimage-proposal": preimage("zus/proposal/v1", 5, 1, A),
    "preimage-ticket": preimage("zus/ticket/v1", 5, 1, A),
    "preimage-timeout": preimage("zus/timeout/v1", 5, 1),
    "preimage-finality-vote": preimage("zus/finality/v1", 5, 1, A),
    "preimage-beacon-round": preimage("zus/beacon-r/v1", 5, 0),
    "preimage-beacon-chained": preimage("zus/beacon-c/v1", 5, 1, SEED),
    "id-proposal": block_id(NOTARIZATION, CLOSES),
    "id-proposal-on-genesis": block_id(None, OPEN),
    "id-proposal-in-the-tail": block_id(NOTARIZATION, TAIL),
}


def write(path, title, vectors):
    with open(path, "w") as file:
        file.write(f"# {title}, written by wire.py: name, bytes.\n")
        for name, data in vectors.items():
            file.write(f"{name} {data.hex()}\n")


write("wire.txt", "One message of each kind", {name: b"\2" + data for name, data in MESSAGES.items()})
write("preimages.txt", "Signed preimages and block ids", PREIMAGES)

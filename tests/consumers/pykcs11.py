"""A life of a key through PyKCS11; MODULE, TOKEN and PIN in the environment. Leaves python.pem and python.sig."""
import base64
import os

from PyKCS11 import (CKA_CLASS, CKA_EC_PARAMS, CKA_ID, CKA_LABEL, CKA_PRIVATE, CKA_SENSITIVE, CKA_SIGN, CKA_TOKEN, CKA_VALUE,
    CKA_VERIFY, CKA_EC_POINT, CKF_RW_SESSION, CKF_SERIAL_SESSION, CKM_EC_KEY_PAIR_GEN, CKM_ECDSA_SHA256,
    CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, Mechanism, PyKCS11Error, PyKCS11Lib)

P256 = bytes.fromhex("06082a8648ce3d030107")
SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")


def integer(number):
    data = number.to_bytes(33, "big").lstrip(b"\0") or b"\0"
    data = b"\0" + data if data[0] & 0x80 else data
    return bytes([2, len(data)]) + data


def der(signature):
    body = b"".join(integer(int.from_bytes(half, "big")) for half in (signature[:32], signature[32:]))
    return bytes([0x30, len(body)]) + body


library = PyKCS11Lib()
library.load(os.environ["MODULE"])
slot = next(slot for slot in library.getSlotList(tokenPresent=True)
            if library.getTokenInfo(slot).label.rstrip("\0 ") == os.environ["TOKEN"])
session = library.openSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION)
session.login(os.environ["PIN"])
public = [(CKA_TOKEN, True), (CKA_EC_PARAMS, P256), (CKA_VERIFY, True), (CKA_LABEL, "python"), (CKA_ID, (0x70,))]
private = [(CKA_TOKEN, True), (CKA_PRIVATE, True), (CKA_SENSITIVE, True), (CKA_SIGN, True), (CKA_LABEL, "python"),
    (CKA_ID, (0x70,))]
session.generateKeyPair(public, private, mecha=Mechanism(CKM_EC_KEY_PAIR_GEN, None))
secret, = session.findObjects([(CKA_CLASS, CKO_PRIVATE_KEY), (CKA_LABEL, "python")])
known, = session.findObjects([(CKA_CLASS, CKO_PUBLIC_KEY), (CKA_LABEL, "python")])
try:
    assert session.getAttributeValue(secret, [CKA_VALUE]) == [None], "the private value was given out"
except PyKCS11Error:
    pass
letter = open("letter", "rb").read()
signature = bytes(session.sign(secret, letter, Mechanism(CKM_ECDSA_SHA256, None)))
assert session.verify(known, letter, signature, Mechanism(CKM_ECDSA_SHA256, None))
assert not session.verify(known, letter + b"x", signature, Mechanism(CKM_ECDSA_SHA256, None))
point = bytes(session.getAttributeValue(known, [CKA_EC_POINT])[0])[2:]
pem = base64.encodebytes(SPKI + point).decode()
open("python.pem", "w").write(f"-----BEGIN PUBLIC KEY-----\n{pem}-----END PUBLIC KEY-----\n")
open("python.sig", "wb").write(der(signature))
for thing in (secret, known):
    session.destroyObject(thing)
assert not session.findObjects([(CKA_LABEL, "python")])
session.logout()
session.closeSession()
print("done")

"""Are the forms of a key, and of a signature, the same key and the same signature? server_forms.py KEY-ANSWER SIGNATURE-ANSWER BYTES.

PEM is read by openssl; BYTES is the length of a coordinate."""
import base64, json, subprocess, sys

key = json.load(open(sys.argv[1]))["public_key"]
signature = json.load(open(sys.argv[2]))["signature"]
size = int(sys.argv[3])

point = bytes.fromhex(key["hex"])
assert len(point) == 1 + 2 * size and point[0] == 4
der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key["pem"].encode(), capture_output=True, check=True).stdout
assert der.endswith(point)


def coordinate(text):
    assert "=" not in text
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


assert coordinate(key["jwk"]["x"]) + coordinate(key["jwk"]["y"]) == point[1:]
assert key["jwk"]["kty"] == "EC" and key["jwk"]["crv"] in ("P-256", "P-384", "P-521", "secp256k1")


def integers(der):
    """SEQUENCE { INTEGER r, INTEGER s }, shorter than 128 bytes."""
    assert der[0] == 0x30 and der[1] == len(der) - 2
    numbers, at = [], 2
    while at < len(der):
        assert der[at] == 2
        numbers.append(int.from_bytes(der[at + 2:at + 2 + der[at + 1]], "big"))
        at += 2 + der[at + 1]
    return numbers


raw = base64.b64decode(signature["raw"])
assert len(raw) == 2 * size
assert integers(base64.b64decode(signature["der"])) == [int.from_bytes(raw[:size], "big"), int.from_bytes(raw[size:], "big")]

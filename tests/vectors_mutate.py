"""Writes test vector files in which every entry is wrong, to see that check-vectors says so.

Usage: python3 vectors_mutate.py VECTORS_FILE FOLDER

FOLDER/flip.json      `valid` of every case, presignature and signature is the other one, every `out` another value
FOLDER/values.json    one value of an entry that held is changed, in each entry another one
FOLDER/types.json     one field of an entry is missing, null or of another type
FOLDER/front-N.json   one value outside the entries is changed; the entries are right
In the first three every line but those of `prove` in flip.json must be "not ok".
"""
import copy
import json
import os
import sys

LISTS = ("hashes", "cases", "presign", "sign")
# Fields that are there for the reader, and those whose exact value does not matter to the outcome.
FREE = {"why", "comment", "id", "valid", "max_bytes", "modulus_bits"}
SAMPLE = (0, 5, 127)  # of the lists of 128


def leaves(value, path=()):
    """Paths of all values that are neither list nor object; of a long list only some."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from leaves(entry, path + (key,))
    elif isinstance(value, list):
        for i, entry in enumerate(value):
            if len(value) < 100 or i in SAMPLE:
                yield from leaves(entry, path + (i,))
    else:
        yield path


def get(value, path):
    """The value at a path."""
    for step in path:
        value = value[step]
    return value


def changed(path, value):
    """Another value of the same form."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if value is None:
        return "0x1"
    swaps = {"P1": "P2", "P2": "P1", "P-256": "P-384", "P-384": "P-256", "secp256k1": "P-256"}
    if path[-1] == "proof":
        return "dlog" if value != "dlog" else "affine_range"
    if path[-1] in ("name", "label", "use", "purpose") or value in ("signed", "bits", "residue", "unit"):
        return value + "x"
    if path[-1] == "digest":  # its end may be cut off
        return f"{int(value[0], 16) ^ 1:x}" + value[1:]
    if value in swaps:
        return swaps[value]
    if value == "":
        return {"curve": "P-256", "role": "P1"}.get(path[-1], "00")
    if value == "0x0":
        return "0x1"
    last = "0123456789abcdef".find(value[-1])
    return value[:-1] + ("x" if last < 0 else f"{last ^ 1:x}")


def with_change(entry, path, value):
    """A copy with one value replaced."""
    fresh = copy.deepcopy(entry)
    get(fresh, path[:-1])[path[-1]] = value
    return fresh


def with_removed(entry, path):
    """A copy with one field taken out."""
    fresh = copy.deepcopy(entry)
    del get(fresh, path[:-1])[path[-1]]
    return fresh


def other_out(out):
    """Another result of a hash."""
    if out is None:
        return "0x1"
    if isinstance(out, list):
        return out[:-1] + [changed((0,), out[-1])]
    return changed((0,), out)


def flipped(data):
    """Every expectation is the opposite."""
    data = copy.deepcopy(data)
    for entry in data["hashes"]:
        entry["out"] = other_out(entry["out"])
    for name in LISTS[1:]:
        for entry in data[name]:
            entry["valid"] = not entry["valid"]
    return data


def changed_values(name, entry):
    """The entry with each of its values changed; only those entries in which every value matters."""
    free = set(FREE)
    if name == "hashes" and entry["out"] is None or not entry.get("valid", True):
        return
    if name == "presign" and entry["case"] is None:
        free |= {"sid", "index"}  # not part of any equation
    if entry.get("name") == "digest":
        free |= {"curve"}  # a digest that is not cut is the same under every curve
    for path in leaves(entry):
        one_bit = get(entry, path) == "0x1" and "draws" in path  # it may be zero, as one of no bits is
        if path[0] not in free and path[-1] not in free and not one_bit:
            yield with_change(entry, path, changed(path, get(entry, path)))


def values(data):
    """One value changed in each entry. Cases become patches of the right one, with one of the list's own ids."""
    fresh = {name: [] for name in LISTS}
    for name in ("hashes", "presign", "sign"):
        for entry in data[name]:
            fresh[name] += changed_values(name, entry)
    number = max(case["id"] for case in data["cases"]) + 1
    for case in data["cases"]:
        fresh["cases"].append(case | {"valid": not case["valid"]})
        fresh["cases"][-1].pop("prove", None)
        if "base" in case or not case["valid"]:
            continue
        for path in leaves(case):
            if path[0] in FREE or path[0] == "prove":
                continue
            value = changed(path, get(case, path))
            patch = {".".join(map(str, path)): value}
            fresh["cases"].append({"id": number, "base": case["id"], "patch": patch, "valid": True, "why": str(path)})
            number += 1
    return data | fresh


def proves(data):
    """Cases with `prove`, one value of witness or seed changed; the case itself is expected to fail."""
    fresh = []
    number = 1
    for case in data["cases"]:
        for path in leaves(case.get("prove", {})):
            wrong = with_change(case, ("prove",) + path, changed(path, get(case["prove"], path)))
            fresh.append(wrong | {"id": number, "valid": False})
            number += 1
    return data | {"hashes": [], "cases": fresh, "presign": [], "sign": []}


def types(data):
    """One field of another type or missing, in entries of every outcome."""
    fresh = {name: [] for name in LISTS}
    number = 1
    for name in LISTS:
        seen = set()
        for entry in data[name]:
            kind = (entry.get("name"), entry.get("proof"), entry.get("valid"))
            if kind in seen or "base" in entry:
                continue
            seen.add(kind)
            entry = copy.deepcopy(entry)
            entry.pop("prove", None)
            for path in leaves(entry):
                if path[0] == "id" or path[-1] == 127:
                    continue
                old = get(entry, path)
                wrong = [with_change(entry, path, value) for value in (None, 7, "zz", [], {}, -1) if type(value) is not type(old)]
                # a proof without one of its fields is refused, which is what is expected of an invalid case
                if path[0] != "proof_wire" and len(path) < 3:
                    wrong.append(with_removed(entry, path))
                for one in wrong:
                    if nullable(name, path, get_or_none(one, path), entry):
                        continue
                    fresh[name].append(one | ({"id": number} if name == "cases" else {}))
                    number += 1
    return data | fresh


def get_or_none(entry, path):
    """The value at a path, None where it is missing."""
    try:
        return get(entry, path)
    except (KeyError, IndexError):
        return None


def nullable(name, path, value, entry):
    """Where null (or, for text, any text) is one of the forms allowed."""
    if name == "hashes" and path[0] == "out":
        return False
    if value is None and name in ("presign", "sign") and path[0] in ("nu", "case", "a", "beta"):
        return True
    if path[-1] in ("label", "why", "comment", "name", "use", "purpose") and isinstance(value, str):
        return True
    return path[-1] in ("index", "max_bytes", "case", "modulus_bits") and value == 7 and not entry.get("valid", True)


def fronts(data):
    """The file with one hash only and one value outside the entries changed."""
    small = data | {"hashes": data["hashes"][:1], "cases": [], "presign": [], "sign": []}
    for top in ("format", "curve", "modulus_bits", "params", "p1", "p2"):
        paths = leaves(small[top], (top,))
        for path in paths:
            yield with_change(small, path, changed(path, get(small, path)))
        yield with_removed(small, (top,))
    for name in LISTS:
        yield with_removed(small, (name,))
        yield with_change(small, (name,), None)


def write(folder, name, data):
    """One file."""
    with open(os.path.join(folder, name), "w", encoding="ascii") as file:
        json.dump(data, file)


def main():
    """Command line."""
    with open(sys.argv[1], encoding="ascii") as file:
        data = json.load(file)
    folder = sys.argv[2]
    write(folder, "flip.json", flipped(data))
    write(folder, "values.json", values(data))
    write(folder, "prove.json", proves(data))
    write(folder, "types.json", types(data))
    for number, front in enumerate(fronts(data), 1):
        write(folder, f"front-{number}.json", front)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Removes each check of tests/mutations*.txt but the server's in turn and expects the named test to go red. Prints TAP.

Run by `make check-mutations`, in the build folder; MUTATIONS=WORD,WORD runs only the entries whose id has one of the words. Nothing
of the source or build folder is changed: the altered file is compiled apart and linked in front of the library. Another list is named by MUTATION_LIST.
A test that is a script (tests/NAME.sh) gets the altered server by TS_SERVER.
With --places it only looks whether each entry still finds its place in the sources (make check).
"""
import glob
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile

SOURCE = os.environ["TS_SRCDIR"]
BUILD = os.environ["TS_BUILDDIR"]
COMPILE = shlex.split(os.environ.get("TS_COMPILE", "cc"))
LIBS = shlex.split(os.environ.get("TS_LIBS", ""))
SECONDS = int(os.environ.get("MUTATION_SECONDS", "300"))
LISTS = os.environ.get("MUTATION_LIST", "tests/mutations.txt tests/mutations_link.txt tests/mutations_store.txt").split()
FLAGS = shlex.split(os.environ.get("MUTATION_FLAGS", "-w -O1"))
# What a program links; the others: DEFAULT_FLOORS.
DEFAULT_FLOORS = os.environ.get("MUTATION_FLOORS", "mpc/libmpc base/libbase").split()
LINK = ["link_hostile", "link_resume", "link_states", "link_crowd", "mux", "reliable", "message", "websocket", "upgrade", "lookup"]
TWO_SIDES = ["meet", "pool"] # linked with tests/two_sides.c, too
FLOORS = {"ct_pin": ["store/libstore", "base/libbase"],
          "test_store_fork": ["tests/libstorefixture", "tests/libsofthsm", "store/libstore", "base/libbase"],
          **{"test_" + name: ["transport/libtransport", "base/libbase"] for name in LINK},
          **{"test_" + name: ["session/libsession"] for name in TWO_SIDES}}
WANTED = os.environ.get("MUTATIONS", "").split(",")


class Trouble(Exception):
    """Neither green nor red: the entry is out of date, does not compile, hangs or dies."""


def read_entries(paths):
    entries = []
    for path in paths:
        for block in re.split(r"\n\s*\n", open(os.path.join(SOURCE, path)).read()):
            lines = [line for line in block.splitlines() if line and not line.startswith("#")]
            if lines:
                entries.append(read_entry(lines))
    ids = [entry["id"] for entry in entries]
    if len(set(ids)) != len(ids):
        raise Trouble("an id is there twice: " + ", ".join(sorted(i for i in set(ids) if ids.count(i) > 1)))
    return entries


def read_entry(lines):
    entry = {"changes": []}
    last = None
    for line in lines:
        if line[0] in "-+":
            changes = entry["changes"]
            if line[0] == "-" and last != "-":
                changes.append({"old": [], "new": [], "file": entry["file"]})
            changes[-1]["old" if line[0] == "-" else "new"].append(line[1:].strip())
        else:
            key, value = line.split(":", 1)
            entry[key] = value.strip()
        last = line[0]
    for key in ("id", "check", "test", "file"):
        if key not in entry:
            raise Trouble("an entry has no %s: %s" % (key, lines[0]))
    return entry


def mutate(text, change):
    """Exactly one place has the old words, whatever the white space between them."""
    old = " ".join(change["old"]).split()
    pattern = re.compile(r"\s+".join(re.escape(word) for word in old))
    found = list(pattern.finditer(text))
    if len(found) != 1:
        raise Trouble("%d places in %s have: %s" % (len(found), change["file"], " ".join(old)))
    place = found[0]
    return text[: place.start()] + " " + "\n".join(change["new"]) + " " + text[place.end() :]


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS, **more)


def compile_file(folder, name, text):
    """The altered file lies apart, so it says where it comes from, and finds its headers by the include path."""
    place = os.path.join(folder, os.path.basename(name))
    with open(place, "w") as file:
        file.write(text)
    out = place[:-2] + ".o"
    done = run(COMPILE + FLAGS + ["-c", place, "-o", out], cwd=BUILD)
    if done.returncode != 0:
        raise Trouble("it does not compile: " + done.stdout[-600:])
    return out


def objects_of(program):
    """What automake linked the program from; parties.o and cheat.o serve no other program."""
    if program == "ct_mpc":
        return [path for part in ("*", "tests/ct") for path in glob.glob(os.path.join(BUILD, part, "*ct_mpc-*.o"))]
    if program == "tallystick-server":
        return [os.path.join(BUILD, "server/main.o")]
    if program == "ct_pin":
        return [os.path.join(BUILD, "tests/ct/ct_pin.o")]
    names = {"check-vectors": ["check_vectors", "vectors_cases", "vectors_hashes", "vectors_json", "vectors_proofs",
                               "vectors_sign"]}.get(
                                   program, [program, "two_sides"] if program[5:] in TWO_SIDES else
                                   [program] if program in FLOORS else [program, "parties", "cheat"])
    paths = [os.path.join(BUILD, "tests", name + ".o") for name in names]
    return [path for path in paths if os.path.exists(path)]


def link(folder, program, objects):
    out = os.path.join(folder, program)
    names = {"-" + os.path.basename(path) for path in objects}
    own = [path for path in objects_of(program) if not any(path.endswith(name) for name in names)]
    floors = FLOORS.get(program, DEFAULT_FLOORS)
    libraries = [os.path.join(BUILD, os.path.dirname(part), ".libs", os.path.basename(part) + ".a") for part in floors]
    done = run(COMPILE + ["-w", "-o", out] + objects + own + libraries + LIBS, cwd=BUILD)
    if done.returncode != 0:
        raise Trouble("it does not link: " + done.stdout[-600:])
    return out


def select(folder, words):
    """A vector file with the named entries alone, and with those that they are made from."""
    data = json.load(open(os.path.join(SOURCE, "tests", "vectors", words[0] + ".json")))
    kept = {"cases": set(), "hashes": set(), "sign": set(), "presign": set()}
    for word in words[1:]:
        kind, numbers = word.split("=")
        for part in numbers.split(","):
            first, _, last = part.partition("-")
            kept[kind].update(range(int(first), int(last or first) + 1))
    cases = {case["id"]: case for case in data["cases"]}
    kept["cases"].update(data["presign"][i]["case"] for i in kept["presign"] if data["presign"][i]["case"])
    kept["cases"].update([cases[i]["base"] for i in kept["cases"] if "base" in cases[i]])
    data["cases"] = [case for case in data["cases"] if case["id"] in kept["cases"]]
    for kind in ("hashes", "sign", "presign"):
        data[kind] = [entry for i, entry in enumerate(data[kind]) if i in kept[kind]]
    path = os.path.join(folder, "vectors.json")
    json.dump(data, open(path, "w"))
    return path


def judge(folder, program, words):
    """The first line that is not ok, or None when the test is green."""
    command = ["timeout", str(SECONDS)]
    env = dict(os.environ, CK_TAP_LOG_FILE_NAME="-", CK_VERBOSITY="silent", CK_DEFAULT_TIMEOUT=str(SECONDS),
               TS_TEST_SEED="1")
    if os.path.basename(program) == "check-vectors":
        words = [select(folder, words)]
    if os.path.basename(program) in ("ct_mpc", "ct_pin"):
        suppressions = os.path.join(SOURCE, "tests/ct/openssl.supp")
        command += ["valgrind", "-q", "--error-limit=no", "--num-callers=20", "--suppressions=" + suppressions]
    if os.path.basename(program).startswith("test_") and words:
        env["CK_RUN_CASE"] = words[0]
        words = []
    command += [program] + words
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env,
                             errors="replace", cwd=folder)
    good = 0
    for line in child.stdout:
        if line.startswith("not ok"):
            child.terminate()
            child.wait()
            if "ct_mpc" in program and " %s depends" % words[-1] not in line:
                raise Trouble("another part than the last one is red: " + line.strip())
            return line.strip()
        good += line.startswith("ok")
    status = child.wait()
    if status != 0 or good == 0:
        raise Trouble("the test ended with status %d after %d good lines" % (status, good))
    return None


def judge_script(program, server):
    """The same of a script. What it started is in a process group with it, and ends with it."""
    child = subprocess.Popen(["timeout", str(SECONDS), os.path.join(SOURCE, "tests", program)], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True, env=dict(os.environ, TS_SERVER=server),
                             errors="replace", start_new_session=True)
    good, bad = 0, None
    for line in child.stdout:
        good += line.startswith("ok")
        if line.startswith("not ok") and bad is None:
            bad = line.strip()
            os.killpg(child.pid, signal.SIGTERM)
    status = child.wait()
    if bad is None and (status != 0 or good == 0):
        raise Trouble("the test ended with status %d after %d good lines" % (status, good))
    return bad


def try_test(test, folder, objects):
    """The first line of the test that is not ok, with these objects instead of those of the library; None when it is green."""
    program, *words = test.split()
    if program.endswith(".sh"):
        return judge_script(program, link(folder, "tallystick-server", objects))
    return judge(folder, link(folder, program, objects), words)


def check_green(known, test):
    """The unaltered program must be green, once for each test."""
    if test not in known:
        with tempfile.TemporaryDirectory() as folder:
            known[test] = try_test(test, folder, [])
    if known[test]:
        raise Trouble("the unaltered test is red: " + known[test])


def altered_texts(entry):
    """The sources as the entry wants them, by name."""
    texts = {}
    for change in entry["changes"]:
        name = change["file"]
        text = texts.get(name) or open(os.path.join(SOURCE, name)).read()
        texts[name] = mutate(text, change)
    if not texts:
        raise Trouble("it changes nothing")
    return texts


def check_entry(known, entry):
    check_green(known, entry["test"])
    texts = altered_texts(entry)
    with tempfile.TemporaryDirectory() as folder:
        objects = [compile_file(folder, name, text) for name, text in texts.items()]
        return try_test(entry["test"], folder, objects)


def check_places(entries):
    failed = 0
    for entry in entries:
        try:
            altered_texts(entry)
        except (Trouble, OSError) as trouble:
            failed += 1
            print("%s: %s" % (entry["id"], trouble))
    return 1 if failed or not entries else 0


def main():
    try:
        entries = [e for e in read_entries(LISTS) if any(word in e["id"] for word in WANTED)]
    except Trouble as trouble:
        print("Bail out! %s: %s" % (" ".join(LISTS), trouble))
        return 1
    if "--places" in sys.argv:
        return check_places(entries)
    known = {}
    failed = 0
    print("1..%d" % len(entries), flush=True)
    for number, entry in enumerate(entries, 1):
        try:
            red = check_entry(known, entry)
            words = "red: " + red.split("-", 1)[-1].strip() if red else "stays green without: " + entry["check"]
        except (Trouble, subprocess.TimeoutExpired) as trouble:
            red, words = None, str(trouble)
        failed += red is None
        words = " ".join(words.replace("#", "").split())[:160 if red else 600]
        print("%s %d - %s (%s)" % ("ok" if red else "not ok", number, entry["id"], words), flush=True)
    return 1 if failed or not entries else 0


sys.exit(main())

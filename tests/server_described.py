"""Are these answers those that the description lists? server_described.py OPENAPI ANSWERS.

ANSWERS has one line for each: METHOD PATH STATUS TYPE, the last being the name of a problem, or - for none."""
import re, sys, urllib.parse, yaml

api = yaml.safe_load(open(sys.argv[1]))
patterns = {path: re.compile(re.escape(path).replace(r"\{id\}", "[^/]+") + r"(\?.*)?\Z") for path in api["paths"]}
answers = set(line.rstrip("\n") for line in open(sys.argv[2]))
assert answers
failed = 0
for answer in sorted(answers):
    method, path, status, name = answer.split(" ")
    operations = next((api["paths"][key] for key, pattern in patterns.items() if pattern.match(urllib.parse.unquote(path))), None)
    operation = operations and operations.get(method.lower())
    if operation is None:
        good = (status, name) == (("404", "no-such-path") if operations is None else ("405", "method"))
    elif name == "-":
        good = status in operation["responses"] and int(status) < 300
    else:
        good = (api["x-problems"].get(name) == int(status) and status in operation["responses"] and
                name in operation["responses"][status]["description"].split(", "))
    if not good:
        failed = 1
        print("not described: " + answer)
print("%d different answers" % len(answers))
sys.exit(failed)

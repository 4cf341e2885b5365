#!/usr/bin/env python3
"""Checks what the documents say against what is there.

    tools/check_docs.py [root]

* Relative links in every .md lead to a file, and #anchors to a heading.
* Folders listed in README.md and docs/architecture.md exist, and the list of layers is whole.
* Each layer, tram/<layer>/, has a README.md.
* docs/errors.md has every code of tram/base/error.h with its sentence, and no other.
* docs/options.md is what the program prints (checked when build/release/tram is there).
"""
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

PROGRAM = "build/release/tram"
OPTIONS_COMMAND = ["options", "--markdown"]  # Prints docs/options.md, whole.

NOT_OURS = {"build", "node_modules", ".venv", "venv", ".git"}
FENCE = re.compile(r"^\s*(```|~~~)")
LINK = re.compile(r"(?<!\\)\]\(\s*<?([^()\s>]+(?:\([^()]*\))?[^()\s>]*)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^\s{0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)")
ELSEWHERE = re.compile(r"^([a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
ERROR = re.compile(r'\bX\(\s*(\w+)\s*,\s*((?:"(?:[^"\\]|\\.)*"[\s\\]*)+)\)')


def lines_outside_code(text):
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if FENCE.match(line):
            inside = not inside
        elif not inside:
            yield number, line


def anchors_of(text):
    """The names that GitHub gives to headings."""
    seen, names = {}, set()
    for _, line in lines_outside_code(text):
        if heading := HEADING.match(line):
            title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])
            name = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            names.add(name if name not in seen else f"{name}-{seen[name]}")
            seen[name] = seen.get(name, 0) + 1
        names.update(re.findall(r'<a (?:id|name)="([^"]+)"', line))
    return names


def check_links(root, file):
    path = file.relative_to(root).as_posix()
    text = file.read_text(errors="replace")
    for number, line in lines_outside_code(text):
        line = re.sub(r"(`+).*?\1", "code", line)
        for target in LINK.findall(line) + REFERENCE.findall(line):
            if ELSEWHERE.match(target):
                continue
            name, _, anchor = unquote(target).partition("#")
            where = (root / name.lstrip("/") if name.startswith("/") else file.parent / name) if name else file
            if not where.exists():
                yield f"{path}:{number}: the link to {target} leads nowhere; there is no {name}"
            elif anchor and where.suffix == ".md" and anchor not in anchors_of(where.read_text(errors="replace")):
                yield f"{path}:{number}: the link to {target} leads nowhere; {where.name} has no heading #{anchor}"


def listed_folders(text):
    """(line, folder) of each folder listed: first in a table row, or in a drawing of the tree, where what is
    indented below `tram/` is in it."""
    inside, above = False, ""
    for number, line in enumerate(text.splitlines(), 1):
        if FENCE.match(line):
            inside, above = not inside, ""
        elif inside:
            if entry := re.match(r"^( {0,4})([\w.-]+/)(?:\s|$)", line):
                above = entry[2] if not entry[1] else above
                yield number, entry[2] if not entry[1] else above + entry[2]
        elif row := re.match(r"^\|\s*\[?`([\w./-]+/)`", line):
            yield number, row[1]


def check_folders(root):
    layers = {f"tram/{p.name}/" for p in root.glob("tram/*") if p.is_dir() and any(p.iterdir())}
    for path in ["README.md", "docs/architecture.md"]:
        file = root / path
        listed = list(listed_folders(file.read_text())) if file.exists() else []
        for number, folder in listed:
            if not (root / folder).is_dir():
                yield f"{path}:{number}: it lists {folder}, and there is no such folder"
        names = {folder for _, folder in listed}
        if any(re.fullmatch(r"tram/\w+/", name) for name in names) or path != "README.md":
            for missing in sorted(layers - names):
                yield (f"{path}: {missing} is not in its list of folders; add a row that begins with | `{missing}` |,"
                       " because that list is how a stranger finds the place")
    for layer in sorted(layers):
        if not (root / layer / "README.md").exists():
            yield f"{layer}: there is no README.md; say on one page what it is for, promises, and refuses to know"


def check_errors(root):
    header, document = root / "tram/base/error.h", root / "docs/errors.md"
    if not header.exists():
        return
    joined = re.sub(r"\\\n", "\n", re.sub(r"//.*", "", header.read_text()))
    codes = {m[1]: "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', m[2])) for m in ERROR.finditer(joined)}
    if not codes:
        yield "tram/base/error.h: no X(code, \"sentence\") was found in it, so docs/errors.md cannot be checked"
        return
    if not document.exists():
        yield "docs/errors.md: there is none; list every code of tram/base/error.h with its sentence"
        return
    rows = {}
    for number, line in enumerate(document.read_text().splitlines(), 1):
        if row := re.match(r"^\|\s*(?:<a [^>]*></a>)?`(\w+)`\s*\|(.*)", line):
            rows[row[1]] = (number, re.sub(r"[\\`]", "", row[2]))
    for code, sentence in codes.items():
        if code not in rows:
            yield f"docs/errors.md: no row for | `{code}` | {sentence} |"
        elif re.sub(r"[\\`]", "", sentence) not in rows[code][1]:
            yield f"docs/errors.md:{rows[code][0]}: the sentence of {code} is now: {sentence}"
    for code in sorted(rows.keys() - codes.keys()):
        yield f"docs/errors.md:{rows[code][0]}: {code} is not a code of tram/base/error.h"


def check_options(root):
    program, document = root / PROGRAM, root / "docs/options.md"
    if not program.is_file():
        return
    command = " ".join([PROGRAM, *OPTIONS_COMMAND])
    printed = subprocess.run([program, *OPTIONS_COMMAND], capture_output=True, text=True, timeout=20, check=False)
    if printed.returncode != 0:
        yield f"docs/options.md: {command} ended with status {printed.returncode}: {printed.stderr.strip()}"
    elif not document.exists() or document.read_text() != printed.stdout:
        yield f"docs/options.md: it is not what the program says; run {command} > docs/options.md"


def check(root):
    for file in sorted(root.rglob("*.md")):
        if not NOT_OURS & set(file.relative_to(root).parts):
            yield from check_links(root, file)
    yield from check_folders(root)
    yield from check_errors(root)
    yield from check_options(root)


if __name__ == "__main__":
    errors = list(check(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()))
    print("\n".join(errors) or "docs: ok")
    sys.exit(bool(errors))

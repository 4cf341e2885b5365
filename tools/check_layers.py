#!/usr/bin/env python3
"""Checks who includes whom, what a pure layer touches, and how things are named.

    tools/check_layers.py [root]

The rule for layers is written once, in tram/<layer>/CMakeLists.txt:

    tram_layer(broker DEPENDS base PURE LINKS fmt::fmt)

DEPENDS is direct: a layer that uses base and broker names both. A PURE layer may not reach the
machine: no clock, thread, file, socket, environment or chance. tests/ may include everything.
Every refusal says what to do instead, and why.
"""
import re
import sys
from pathlib import Path

LAYER_CALL = re.compile(r"\btram_layer\(([^)]*)\)")
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')
OURS = re.compile(r"^tram/(\w+)/(.+)$")

# What a pure layer may not include, and what it has instead.
MACHINE = [
    (re.compile(r"^(chrono|ctime|time\.h|sys/time\.h)$"),
     "take a tram::base::Time as an argument, because whoever is told the time can be tested at any time"),
    (re.compile(r"^(random|sys/random\.h)$"),
     "take a tram::base::Random, because a run is replayed from its seed"),
    (re.compile(r"^(thread|mutex|shared_mutex|atomic|condition_variable|future|semaphore|latch|barrier"
                r"|stop_token|pthread\.h)$"),
     "leave threads to tram/engines, because one caller at a time needs no locks"),
    (re.compile(r"^(cstdlib|stdlib\.h|csignal|signal\.h|unistd\.h|fcntl\.h|sys/.*|netinet/.*|arpa/.*|poll\.h"
                r"|iostream|fstream|filesystem|cstdio|stdio\.h|print|boost/(asio|beast|process|filesystem|thread)[/.].*"
                r"|CLI/.*|toml\+\+/.*)$"),
     "put it in the Effects that are returned and let the caller act, because a layer that does nothing to the"
     " world can be replayed"),
]
PURE_REFUSES = {"tram/base/clock.h", "tram/base/system_clock.h"}

CLOCK = re.compile(r"\b\w*_?clock(_type)?::now\b|\bclock_gettime\b|\bgettimeofday\b|\btime\((nullptr|NULL|0)\)")
CLOCK_HOME = "tram/base/system_clock.cc"

TEST_ONLY = {"sim"}  # Layers that tests may always use, and that nothing else may.
DOORS = {"nats", "beanstalk", "http", "beuss"}  # Folders of tram/protocols that know nothing of one another.

VAGUE = {"util", "utils", "common", "misc", "helper", "helpers", "manager", "impl"}
NAMED_TREES = ("tram", "tests", "bench", "tools", "cmake", "ui", "clients")
NOT_OURS = {"build", "node_modules", ".venv", "venv", "__pycache__", ".git", "dist", "corpus"}


def read_layers(root):
    """{name: (DEPENDS, is PURE)}, as tram_layer() in cmake/layer.cmake reads them."""
    layers = {}
    for cmake in sorted(root.glob("tram/*/CMakeLists.txt")):
        text = re.sub(r"#.*", "", cmake.read_text())
        if call := LAYER_CALL.search(text):
            name, *words = call[1].split()
            depends, pure, into = set(), False, None
            for word in words:
                if word in {"DEPENDS", "LINKS"}:
                    into = depends if word == "DEPENDS" else set()
                elif word == "PURE":
                    pure, into = True, None
                elif into is not None:
                    into.add(word)
            layers[name] = (depends, pure)
    return layers


def find_cycle(layers, name, path=()):
    if name in path:
        return path[path.index(name):] + (name,)
    for below in sorted(layers.get(name, (set(), False))[0]):
        if cycle := find_cycle(layers, below, path + (name,)):
            return cycle
    return None


def check_layer_lines(root, layers):
    for folder in sorted(p for p in root.glob("tram/*") if p.is_dir()):
        if folder.name not in layers and any(folder.rglob("*.cc")):
            yield (f"tram/{folder.name}: a layer without a rule is not used here; say tram_layer({folder.name}"
                   " DEPENDS ...) in its CMakeLists.txt, because the checks read that line")
    for name, (depends, _) in layers.items():
        at = f"tram/{name}/CMakeLists.txt:"
        for below in sorted(depends - layers.keys()):
            yield f"{at} {name} depends on {below}, and there is no layer tram/{below}"
        for below in sorted(depends & TEST_ONLY):
            yield (f"{at} {below} is not used here; only tests include it (they need no DEPENDS), because nothing"
                   " that ships should be pretended")
    for name in layers:
        if cycle := find_cycle(layers, name):
            yield (f"tram/{name}/CMakeLists.txt: a ring of layers is not used here: {' -> '.join(cycle)}; move what"
                   " both need into a lower layer, because in a ring nothing can be tested alone")
            return


def check_include(path, at, target, quoted, layers, is_test):
    layer = path.split("/")[1]
    depends, pure = layers.get(layer, (set(), False))
    ours = OURS.match(target)
    if quoted and not ours:
        yield (f'{at} "{target}" is not used here; write the path from the root, "tram/...", because then a line'
               " means the same in every file (what is not ours goes in <>)")
    if not ours:
        if pure and not is_test:
            for pattern, instead in MACHINE:
                if pattern.match(target):
                    yield f"{at} <{target}> is not used here, {layer} is pure; {instead}"
        return
    allowed = depends | {layer} | (TEST_ONLY if is_test else set())
    if ours[1] not in allowed:
        names = ", ".join(sorted(depends)) or "no other layer"
        yield (f"{at} tram/{ours[1]} is not used here; {layer} may use {names}, because its CMakeLists.txt says so:"
               " either the code belongs in another layer, or that line changes and the reason is written down")
    if pure and not is_test and target in PURE_REFUSES:
        yield f'{at} "{target}" is not used here, {layer} is pure; {MACHINE[0][1]}'
    mine, theirs = path.split("/"), target.split("/")
    if (layer == ours[1] == "protocols" and mine[2] in DOORS and theirs[2] in DOORS and mine[2] != theirs[2]
            and not is_test):
        yield (f"{at} the {theirs[2]} door is not used here, in the {mine[2]} door; move what both need up into"
               " tram/protocols, because a door must be possible to read, change and switch off alone")


def check_file(root, file, layers):
    path = file.relative_to(root).as_posix()
    is_test = re.search(r"_(test|fuzz|bench)\.cc$", path) is not None
    text = file.read_text(errors="replace")
    if file.suffix == ".h" and not re.search(r"^\s*#\s*pragma\s+once\b", text, re.MULTILINE):
        yield (f"{path}:1: a header without #pragma once is not used here; put it below the first comment, because"
               " include guards are names that must be kept in step with paths")
    for number, line in enumerate(text.splitlines(), 1):
        at = f"{path}:{number}:"
        if include := INCLUDE.match(line):
            yield from check_include(path, at, include[1] or include[2], include[1] is not None, layers, is_test)
        elif path != CLOCK_HOME and not is_test and (clock := CLOCK.search(line.split("//")[0])):
            yield (f"{at} {clock[0]} is not used here; take the time as an argument, or a tram::base::Clock, because"
                   f" only {CLOCK_HOME} reads a clock and so tests never sleep")


def check_names(root):
    for tree in NAMED_TREES:
        for path in sorted((root / tree).rglob("*")):
            parts = path.relative_to(root).parts
            if NOT_OURS & set(parts):
                continue
            for word in re.split(r"[_\-.]", path.name):
                if word.lower() in VAGUE:
                    yield (f"{path.relative_to(root).as_posix()}: {word} is not used here; name the file or folder for"
                           " the one thing in it, because a thing without a name is not understood yet")


def check(root):
    layers = read_layers(root)
    yield from check_layer_lines(root, layers)
    for file in sorted(p for p in root.glob("tram/**/*") if p.suffix in {".h", ".cc"}):
        yield from check_file(root, file, layers)
    yield from check_names(root)


if __name__ == "__main__":
    errors = list(check(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)))
    print("\n".join(errors) or "layers: ok")
    sys.exit(bool(errors))

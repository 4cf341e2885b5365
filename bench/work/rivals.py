"""What stands beside what in bench/work: how each rival's program comes to be, and which rows it has.

A rival is a command that takes `<row> <size>` or `--list` (see measure.h). Those of Debian's packages and plain Go are
built here. Taskflow and the two originals are not packaged: whoever wants them names a ready program in the
environment, since nothing of theirs, nor how to build it, is kept in this repository.
"""
import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build/work"
COMPILE = ["-std=c++23", "-O2", "-DNDEBUG", "-pthread", f"-I{HERE}", f"-I{ROOT}"]
# What our own rows are linked with, in this order: make build makes them.
TRAM_LIBRARIES = ["build/release/layers/work/libtram_work.a", "build/release/layers/base/libtram_base.a",
                  "build/release/libtram_fmt.a"]


class Missing(Exception):
    """Why a rival cannot be measured, for the user."""


def compiler():
    return os.environ.get("CXX", "g++")


def run_quietly(command, **options):
    """Runs it; what it printed is in the error if it fails."""
    if not shutil.which(str(command[0])):
        raise Missing(f"there is no program {command[0]}")
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        said = done.stdout[-2000:].strip() or f"exit code {done.returncode}"
        raise Missing(f"{' '.join(str(word) for word in command[:3])} failed: {said}")
    return done.stdout


def is_there(header):
    if not shutil.which(compiler()):
        raise Missing(f"there is no compiler {compiler()}")
    probe = f"#if !__has_include(<{header}>)\n#error missing\n#endif\n"
    return subprocess.run([compiler(), "-E", "-x", "c++", "-"], input=probe, text=True, capture_output=True).returncode == 0


def is_newer(program, sources):
    return program.exists() and all(program.stat().st_mtime > source.stat().st_mtime for source in sources)


def build_cc(name, libraries=()):
    """build/work/<name> from <name>.cc and what is in the folder <name>, if it is not there or older."""
    program = BUILD / name
    sources = [HERE / f"{name}.cc", *sorted(HERE.glob(f"{name}/*.cc"))]
    libraries = [str(library) for library in libraries]
    ours = [Path(library) for library in libraries if not library.startswith("-")]
    headers = [*HERE.glob("*.h"), *HERE.glob(f"{name}/*.h")]
    if not is_newer(program, [*sources, HERE / "rows.def", *headers, *ours]):
        BUILD.mkdir(parents=True, exist_ok=True)
        run_quietly([compiler(), *COMPILE, *sources, "-o", program, *libraries])
    return [program]


def debian_version(package):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True)
    return f"{package} {done.stdout}" if done.returncode == 0 else "not from Debian"


class Packaged:
    """A library with headers, from one of Debian's packages."""

    def __init__(self, name, header, package, libraries=()):
        self.name, self.header, self.package, self.libraries = name, header, package, libraries

    def command(self):
        for header in (self.header, "nlohmann/json.hpp"):
            if not is_there(header):
                raise Missing(f"there is no <{header}> ({self.package}, nlohmann-json3-dev): run tools/setup bench")
        return build_cc(self.name, self.libraries)

    def hello(self):
        return HERE / "hello" / f"{self.name}.cc", self.libraries

    def version(self):
        return debian_version(self.package)


class Standard:
    """Row 25 only: what a program costs without any library."""

    name = "std"

    def command(self):
        return None

    def hello(self):
        return HERE / "hello/std.cc", ()

    def version(self):
        return f"{compiler()} {run_quietly([compiler(), '-dumpfullversion']).strip()}"


class Go:
    """Plain Go, without a library."""

    name = "go"

    def command(self):
        if not shutil.which("go"):
            raise Missing("there is no go on PATH")
        program = BUILD / "go"
        if not is_newer(program, HERE.glob("go/**/*.go")):
            run_quietly(["go", "build", "-buildvcs=false", "-o", program, "."], cwd=HERE / "go")
        return [program]

    def hello(self):
        return None

    def version(self):
        return run_quietly(["go", "version"]).split()[2]


class Given:
    """A ready program that the environment names; its driver is in this folder, what it drives is not."""

    def __init__(self, name, variable, *arguments):
        self.name, self.variable, self.arguments = name, variable, arguments

    def command(self):
        program = os.environ.get(self.variable)
        if not program:
            raise Missing(f"set {self.variable} to its program (bench/work/README.md)")
        if not os.access(program, os.X_OK):
            raise Missing(f"{self.variable} is {program}, and that is no program")
        return [os.path.abspath(program), *self.arguments]

    def hello(self):
        return None

    def version(self):
        return os.environ.get(self.variable.replace("_PROGRAM", "_VERSION"), "as given")


class Tram:
    """Ours."""

    name = "tram"

    def libraries(self):
        return [ROOT / library for library in TRAM_LIBRARIES]

    def command(self):
        if absent := [str(one) for one in self.libraries() if not one.exists()]:
            raise Missing(f"there is no {absent[0]}: run make build first")
        return build_cc(self.name, self.libraries())

    def hello(self):
        return HERE / "hello/tram.cc", self.libraries()

    def version(self):
        return "this"


RIVALS = [
    Tram(),
    Packaged("tbb", "tbb/task_group.h", "libtbb-dev", ["-ltbb"]),
    Packaged("asio", "boost/asio/thread_pool.hpp", "libboost1.81-dev"),
    Packaged("moodycamel", "concurrentqueue/concurrentqueue.h", "libconcurrentqueue-dev"),
    Given("taskflow", "TASKFLOW_PROGRAM"),
    Go(),
    Given("mcs", "MCS_PROGRAM"),
    Given("mcs chans", "MCS_PROGRAM", "--variant=chans"),
    Given("pool", "POOL_PROGRAM"),
    Given("pool buffered", "POOL_PROGRAM", "--variant=buffered"),
    Given("pool published", "POOL_PROGRAM", "--variant=published"),
    Standard(),
]
# Rows of a variant that would only repeat what the first one says.
ONLY = {"mcs chans": "storm", "pool buffered": "stages", "pool published": "stages"}

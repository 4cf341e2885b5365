#!/bin/sh
# Builds small archives, some with a planted call, and sees check_pure.sh tell them apart.
set -eu
tools=$(cd "$(dirname "$0")" && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"

# archive name text: name.a, which holds name.o, compiled from the text.
archive() {
  printf '%s\n' "$2" > "$1.cc"
  "${CXX:-c++}" -std=c++20 -O2 -c "$1.cc" -o "$1.o"
  rm -f "$1.a"
  ar rc "$1.a" "$1.o"
}
# refuses name symbol text
refuses() {
  archive "$1" "$3"
  if "$tools/check_pure.sh" "$1.a" 2> said; then echo "check_pure.sh let $2 pass"; exit 1; fi
  grep -q "$1.o .*$2" said || { echo "check_pure.sh refused $1.a without naming $1.o and $2:"; cat said; exit 1; }
}

archive pure '#include <map>
#include <string>
std::map<std::string, int> rules; int size() { rules["a"] = 1; return int(rules.size()); }
int read_line(int x) { return x; } int timely() { return read_line(2); }'
"$tools/check_pure.sh" pure.a > said || { echo "check_pure.sh refused a pure archive"; exit 1; }

refuses clock 'steady_clock::now' '#include <chrono>
auto now() { return std::chrono::steady_clock::now(); } auto f() { return now(); }'
refuses ctime time '#include <ctime>
long f() { return time(nullptr); }'
refuses file open '#include <fcntl.h>
int f() { return open("/dev/null", 0); }'
refuses environment getenv '#include <cstdlib>
const char* f() { return std::getenv("HOME"); }'
refuses chance random_device '#include <random>
unsigned f() { return std::random_device{}(); }'
refuses thread 'thread::' '#include <thread>
void f() { std::thread([] {}).join(); }'
refuses screen 'cout' '#include <iostream>
void f() { std::cout << 1; }'
refuses network socket '#include <sys/socket.h>
int f() { return socket(1, 1, 0); }'

ar rc empty.a
if "$tools/check_pure.sh" empty.a 2> said; then echo "check_pure.sh passed an empty archive"; exit 1; fi
if "$tools/check_pure.sh" missing.a 2> said; then echo "check_pure.sh passed a missing archive"; exit 1; fi
echo "check_pure_test: ok"

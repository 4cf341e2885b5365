#!/bin/sh
# Fails when a pure layer's archive calls the machine. It sees through headers and inline
# functions, which an include check (tools/check_layers.py) cannot.
#
#   tools/check_pure.sh build/release/layers/broker/libtram_broker.a
set -eu
archive=${1:?say which archive}

banned='time|clock_gettime|gettimeofday|nanosleep|clock_nanosleep|u?sleep|timerfd_[a-z]+|localtime(_r)?|gmtime_r'
banned="$banned|pthread_(create|mutex_lock|cond_wait|cond_timedwait|rwlock_[a-z]+)|sem_wait|fork|execv?e?|system|popen"
banned="$banned|f?open(64)?|openat(64)?|freopen|read|write|readv|writev|pread(64)?|pwrite(64)?|fsync|fdatasync|mmap(64)?"
banned="$banned|socket|connect|bind|accept4?|send(to|msg)?|recv(from|msg)?|poll|epoll_[a-z]+|io_uring_[a-z_]+"
banned="$banned|getenv|secure_getenv|setenv|s?rand|s?random|[delm]rand48|getrandom|getentropy|signal|sigaction|exit"
banned="$banned|_ZNSt6chrono3_V21[0-9].*_clock3nowEv|_ZNSt13random_device.*|_ZNSt6thread.*|_ZNSt18condition_variable.*"
banned="$banned|_ZSt(3cin|4cout|4cerr|4clog)|_ZNSt(14basic_ifstream|14basic_ofstream|13basic_fstream|13basic_filebuf).*"
banned="$banned|_ZNSt10filesystem.*"

symbols=$(nm -A --undefined-only --no-demangle "$archive") || exit 1
[ -n "$symbols" ] || { echo "$archive: it holds no code, so nothing was checked" >&2; exit 1; }
found=$(printf '%s\n' "$symbols" | sed 's/^.*:\([^:]*\.o\): *[A-Za-z] \(.*\)$/\1 \2/; s/@.*$//' \
        | grep -E "^[^ ]+ ($banned)\$" | sort -u | c++filt) || true
if [ -n "$found" ]; then
  echo "$archive is a pure layer, and these of its files call the machine:" >&2
  printf '%s\n' "$found" | sed 's/^/  /' >&2
  echo "Take the time, chance and bytes as arguments and return what is to be done, because then a run can" >&2
  echo "be repeated exactly from its input." >&2
  exit 1
fi
echo "pure: ok"

// What a rival's program measures, and how it says so: one row per process, one line of JSON.
//
//     <program> <row> [size]     runs the row, prints its figures; exit code 1 if an answer is
//     wrong <program> --list           the names of the rows that it has
//
// A row is a function of Row&: it sets up, calls `timed` around what counts, and gives its answers
// to `check`. A wrong answer ends the process, since a library that loses work is quick.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <sys/resource.h>

namespace bench {

inline constexpr unsigned workers =
    2;  // Of every library, in every row that does not say otherwise.

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct RowSize {
  std::string_view row;
  uint64_t size;
};
inline constexpr RowSize row_sizes[] = {
#define ROW(name, number, size, quick) {name, size},
#include "rows.def"
#undef ROW
};

// Bytes of memory in use by this process now (not the peak).
inline double resident_bytes() {
  long pages = 0, ignored = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%ld %ld", &ignored, &pages) != 2) pages = 0;
    std::fclose(file);
  }
  return static_cast<double>(pages) * 4096;
}

// The most memory that this process had so far. From /proc, since getrusage's counts what the
// process had before its exec, which is then a Python's.
inline long peak_resident_kb() {
  long kb = 0;
  if (std::FILE* file = std::fopen("/proc/self/status", "r")) {
    char line[256];
    while (std::fgets(line, sizeof line, file) != nullptr) {
      if (std::sscanf(line, "VmHWM: %ld kB", &kb) == 1) break;
    }
    std::fclose(file);
  }
  return kb;
}

class Row {
 public:
  Row(std::string name, uint64_t size) : name_(std::move(name)), size_(size), units_(size) {}

  const std::string& name() const { return name_; }
  uint64_t size() const { return size_; }

  // The part of the name behind its last '-': "32" of queue-1x2-32.
  std::string_view last_word() const {
    return std::string_view(name_).substr(name_.find_last_of('-') + 1);
  }

  // How many units of work the timed sections did in all; by default the size. Times per unit are
  // divided by it.
  void units(uint64_t units) { units_ = units; }

  // Calls `work`; its time, CPU time and context switches are added to the row's figures. All
  // threads of the process count. Libraries are made before it, unless making them is the row.
  template <typename Work>
  void timed(Work&& work) {
    const rusage before = usage();
    const auto start = Clock::now();
    work();
    wall_ += seconds_since(start);
    const rusage after = usage();
    cpu_ += cpu(after) - cpu(before);
    voluntary_ += after.ru_nvcsw - before.ru_nvcsw;
    involuntary_ += after.ru_nivcsw - before.ru_nivcsw;
  }

  // Ends the process if an answer is not right.
  void check(bool right, std::string_view what) {
    if (right) return;
    std::fprintf(stderr, "WRONG: %s: %.*s\n", name_.c_str(), static_cast<int>(what.size()),
                 what.data());
    std::exit(1);
  }
  // The same for a figure, which is printed as the row's check value.
  void check_equal(uint64_t have, uint64_t want, std::string_view what) {
    check_value_ = have;
    if (have != want) {
      std::fprintf(stderr, "%llu, not %llu\n", static_cast<unsigned long long>(have),
                   static_cast<unsigned long long>(want));
    }
    check(have == want, what);
  }

  // One more figure, for rows with more than a time: "fire_seconds", "bytes_each". `work_seconds`
  // is the time that the bodies alone take on one processor; the table subtracts it.
  void note(const std::string& name, double value) { notes_[name] = value; }

  void print() const {
    std::printf(
        "{\"row\": \"%s\", \"size\": %llu, \"units\": %llu, \"wall\": %.9f, \"cpu\": %.6f, "
        "\"rss_kb\": %ld, \"voluntary\": %ld, \"involuntary\": %ld, \"check\": %llu, \"notes\": {",
        name_.c_str(), static_cast<unsigned long long>(size_),
        static_cast<unsigned long long>(units_), wall_, cpu_, peak_resident_kb(), voluntary_,
        involuntary_, static_cast<unsigned long long>(check_value_));
    const char* comma = "";
    for (const auto& [name, value] : notes_) {
      std::printf("%s\"%s\": %.9g", comma, name.c_str(), value);
      comma = ", ";
    }
    std::printf("}}\n");
  }

 private:
  static rusage usage() {
    rusage now{};
    getrusage(RUSAGE_SELF, &now);
    return now;
  }
  static double cpu(const rusage& now) {
    return static_cast<double>(now.ru_utime.tv_sec + now.ru_stime.tv_sec) +
           static_cast<double>(now.ru_utime.tv_usec + now.ru_stime.tv_usec) * 1e-6;
  }

  std::string name_;
  uint64_t size_, units_;
  uint64_t check_value_ = 0;
  double wall_ = 0, cpu_ = 0;
  long voluntary_ = 0, involuntary_ = 0;
  std::map<std::string, double> notes_;
};

struct Entry {
  std::string_view row;
  void (*run)(Row&);
};

// The whole of a rival's main().
inline int run_program(int argc, char** argv, std::span<const Entry> entries) {
  const std::string_view wanted = argc > 1 ? argv[1] : "--list";
  if (wanted == "--list") {
    for (const Entry& entry : entries) std::printf("%s\n", std::string(entry.row).c_str());
    return 0;
  }
  for (const Entry& entry : entries) {
    if (entry.row != wanted) continue;
    uint64_t size = 0;
    for (const RowSize& known : row_sizes) {
      if (known.row == wanted) size = known.size;
    }
    if (argc > 2) size = std::strtoull(argv[2], nullptr, 10);
    if (size == 0) {
      std::fprintf(stderr, "the size must be a number above 0\n");
      return 2;
    }
    Row row{std::string(wanted), size};
    entry.run(row);
    row.print();
    return 0;
  }
  std::fprintf(stderr, "no such row here; --list lists them\n");
  return 2;
}

}  // namespace bench

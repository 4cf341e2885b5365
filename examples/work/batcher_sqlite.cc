// A thousand look-ups at once become a handful of queries.
#include <sqlite3.h>

#include "tram/work/batcher.h"

const char fill[] = R"(create table squares as with recursive numbers(n) as
  (select 1 union select n + 1 from numbers limit 1000) select n, n * n from numbers)";

int keep(void* found, int, char** row, char**) {
  return (*static_cast<std::map<int, int>*>(found))[std::stoi(row[0])] = std::stoi(row[1]), 0;
}

int main() {
  sqlite3* db = nullptr;
  if (sqlite3_open(":memory:", &db) + sqlite3_exec(db, fill, nullptr, nullptr, nullptr)) return 1;
  std::unique_ptr<sqlite3, decltype(&sqlite3_close)> closed_at_the_end(db, sqlite3_close);
  tram::work::Runtime runtime;
  tram::work::Batcher<int, int> squares(runtime, [db](std::span<const int> keys) {
    std::string query = "select * from squares where n in (0";
    for (int key : keys) query += "," + std::to_string(key);
    std::map<int, int> found;
    sqlite3_exec(db, (query + ")").c_str(), keep, &found, nullptr);
    return found;
  });
  tram::work::Scope scope(runtime);
  for (int n = 1; n <= 1000; ++n) squares(n, scope);
  return scope.wait() && std::printf("%zu queries\n", squares.stats().calls) > 0 ? 0 : 1;
}

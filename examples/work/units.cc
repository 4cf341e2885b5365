// Dependencies found at run time: what a file needs is known only when it has been read.
#include <algorithm>
#include <cstdio>
#include <map>
#include <string>

#include "tram/work/scope.h"
using namespace tram::work;

const std::map<std::string, std::vector<std::string>> needs = {
    {"app", {"net", "log"}}, {"net", {"log", "base"}}, {"log", {"base"}}, {"base", {}}};

Unit<int> build(const std::string& file, Context c) {
  std::vector<Unit<int>> units;
  for (const std::string& other : needs.at(file)) units.push_back(c.unit_for(other, build, other));
  auto link = [file](const std::vector<int>& levels) {
    std::printf("built %s\n", file.c_str());
    return levels.empty() ? 1 : *std::ranges::max_element(levels) + 1;
  };
  return c.spawn_after(link, all(units));  // This body ends; its unit ends with that one.
}

int main() {
  Runtime runtime;
  Scope scope(runtime);
  std::printf("%d levels\n", scope.spawn(build, "app").value());
}

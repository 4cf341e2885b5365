// A fuzzer that must find its bug within seconds: four bytes that no one would guess at once.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 3 && data[0] == 't' && data[1] == 'r' && data[2] == 'a' && data[3] == 'm')
    std::abort();
  return 0;
}

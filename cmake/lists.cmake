# What the layers have gathered, for the scripts that run them all: build/<preset>/benches.txt and
# build/<preset>/fuzzers.txt hold one path a line, and the target `fuzzers` builds every fuzzer.
function(tram_list property file)
  get_property(targets GLOBAL PROPERTY ${property})
  set(lines "")
  foreach(target IN LISTS targets)
    string(APPEND lines "$<TARGET_FILE:${target}>\n")
  endforeach()
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/${file} CONTENT "${lines}")
endfunction()

tram_list(TRAM_BENCHES benches.txt)
tram_list(TRAM_FUZZERS fuzzers.txt)

if(TRAM_FUZZ)
  get_property(fuzzers GLOBAL PROPERTY TRAM_FUZZERS)
  add_custom_target(fuzzers DEPENDS ${fuzzers})
endif()

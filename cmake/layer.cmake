# tram_layer(broker DEPENDS base PURE): a library, its tests, its fuzzers, its
# benches, and its place in the order. The same line is read by
# tools/check_layers.py, so the rule of who may include whom has one home.
#
#   DEPENDS  the layers that this one may include and link, each named
#   PURE     no clock, thread, file, socket or environment: checked by includes
#            and, on the built archive, by symbols (tools/check_pure.sh)
#   LINKS    libraries that are not ours
#
# Files find their place by their names: x_test.cc goes to <layer>_test,
# x_fuzz.cc becomes a fuzzer of its own, x_bench.cc goes to <layer>_bench,
# main.cc and examples/ belong to no library.
function(tram_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 layer "PURE" "" "DEPENDS;LINKS")
  file(GLOB_RECURSE all CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.cc)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS *.h)
  set(tests ${all})
  set(fuzzers ${all})
  set(benches ${all})
  set(sources ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|_bench)\\.cc$|(^|/)main\\.cc$|(^|/)examples/")

  if(sources)
    add_library(tram_${name} STATIC ${sources})
    set(visibility PUBLIC)
  else()
    add_library(tram_${name} INTERFACE)
    set(visibility INTERFACE)
  endif()
  target_sources(tram_${name} ${visibility} FILE_SET HEADERS
                 BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${headers})
  target_link_libraries(tram_${name} ${visibility} tram_flags ${layer_LINKS})
  foreach(below IN LISTS layer_DEPENDS)
    target_link_libraries(tram_${name} ${visibility} tram_${below})
  endforeach()
  set_target_properties(tram_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)

  if(TRAM_DEVELOPER AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE tram_${name} tram_test_support)
    add_test(NAME ${name} COMMAND ${name}_test)
  endif()
  if(TRAM_DEVELOPER AND benches)
    find_package(benchmark REQUIRED)
    add_executable(${name}_bench ${benches})
    target_link_libraries(${name}_bench PRIVATE tram_${name} benchmark::benchmark_main)
    set_property(GLOBAL APPEND PROPERTY TRAM_BENCHES ${name}_bench)
    if(TRAM_SANITIZE)  # Nobody measures these.
      set_target_properties(${name}_bench PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
  endif()
  if(TRAM_FUZZ)
    foreach(fuzzer IN LISTS fuzzers)
      get_filename_component(target ${fuzzer} NAME_WE)
      add_executable(${target} ${fuzzer})
      target_link_libraries(${target} PRIVATE tram_${name})
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
      set_property(GLOBAL APPEND PROPERTY TRAM_FUZZERS ${target})
    endforeach()
  endif()
endfunction()

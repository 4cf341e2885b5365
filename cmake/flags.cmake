# How all of our code is compiled, in one interface target: tram_flags.
add_library(tram_flags INTERFACE)
target_compile_features(tram_flags INTERFACE cxx_std_23)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
target_include_directories(tram_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(tram_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                       -fno-plt $<$<BOOL:${TRAM_WERROR}>:-Werror>)
if(TRAM_SANITIZE)
  target_compile_options(tram_flags INTERFACE -fsanitize=${TRAM_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(tram_flags INTERFACE -fsanitize=${TRAM_SANITIZE})
endif()
if(TRAM_FUZZ)
  target_compile_options(tram_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

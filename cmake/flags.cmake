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
# The thread sanitizer of GCC 12 stops with "unexpected memory mapping" where the kernel spreads
# addresses widely, as newer kernels do; its tests run with addresses in their old places.
if(TRAM_SANITIZE MATCHES thread AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
  find_program(TRAM_SETARCH setarch)
  if(TRAM_SETARCH)
    execute_process(COMMAND ${TRAM_SETARCH} -R true RESULT_VARIABLE refused OUTPUT_QUIET ERROR_QUIET)
    if(NOT refused)
      set(CMAKE_CROSSCOMPILING_EMULATOR ${TRAM_SETARCH} -R)  # What add_test() puts before our programs.
    endif()
  endif()
endif()
if(TRAM_SANITIZE MATCHES thread AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # GCC warns in every file of Asio's that its fences are not understood; Asio's locks, which are, do the ordering.
  target_compile_options(tram_flags INTERFACE -Wno-tsan)
endif()
if(TRAM_FUZZ)
  target_compile_options(tram_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

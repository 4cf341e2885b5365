# Everything that is not ours, each with its reason (docs/decisions/). Debian 12's packages.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)  # formatting; GCC 12 has no <format>
find_package(Boost 1.81 REQUIRED)  # Asio, JSON, unordered: headers only

# fmt's body, compiled once for whoever uses it. From fmt 13 on, <fmt/core.h> has format() only when asked.
add_library(tram_fmt STATIC ${CMAKE_CURRENT_LIST_DIR}/fmt.cc)
target_compile_features(tram_fmt PUBLIC cxx_std_23)
target_include_directories(tram_fmt SYSTEM PUBLIC $<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>)
target_compile_definitions(tram_fmt PUBLIC FMT_DEPRECATED_HEAVY_CORE)

# Boost.JSON's body, compiled once for whoever uses it.
add_library(tram_json STATIC ${CMAKE_CURRENT_LIST_DIR}/boost_json.cc)
target_compile_features(tram_json PUBLIC cxx_std_23)
target_include_directories(tram_json SYSTEM PUBLIC ${Boost_INCLUDE_DIRS})

# Asio's body is compiled once, in tram/net/asio.cc, instead of in every file.
add_library(tram_asio INTERFACE)
target_include_directories(tram_asio SYSTEM INTERFACE ${Boost_INCLUDE_DIRS})
target_compile_definitions(tram_asio INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(tram_asio INTERFACE Threads::Threads)

# TLS: OpenSSL's headers, and nothing to link: it is loaded when somebody asks for it (tram/net/tls/openssl.h).
find_package(OpenSSL 3.0 REQUIRED)
add_library(tram_openssl_headers INTERFACE)
target_include_directories(tram_openssl_headers SYSTEM INTERFACE ${OPENSSL_INCLUDE_DIR})
target_link_libraries(tram_openssl_headers INTERFACE ${CMAKE_DL_LIBS})

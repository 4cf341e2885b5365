# What `make install` puts where, below PREFIX: the one program, what completes its commands, its
# documents; and the libraries: headers, archives, a CMake package, a pkg-config file.
if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()
include(GNUInstallDirs)
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME tram)

if(TARGET tram)
  # build/<preset>/tram, whichever layer it is written in.
  set_target_properties(tram PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  install(TARGETS tram RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tram)
endif()

# The libraries, as find_package(tram) and pkg-config tram find them: tram::work, tram::net and tram::peer,
# with what they stand on. Who uses them needs no library of others' to compile or to link, so of `net`
# only these headers are for all: the rest, its inside, asks for Boost's and OpenSSL's.
set(net_headers loop.h timers.h peer.h peer/block_pool.h peer/datagram.h peer/inbox.h peer/metrics.h
    peer/options.h peer/send_queue.h tls/options.h)
foreach(layer base work net peer)
  install(TARGETS tram_${layer} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
  if(layer STREQUAL net)
    foreach(header IN LISTS net_headers)
      cmake_path(GET header PARENT_PATH folder)
      install(FILES ${PROJECT_SOURCE_DIR}/tram/net/${header}
              DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tram/net/${folder} COMPONENT library)
    endforeach()
  else()
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/tram/${layer} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tram
            COMPONENT library FILES_MATCHING PATTERN "*.h" PATTERN testing EXCLUDE PATTERN examples EXCLUDE)
  endif()
endforeach()
install(TARGETS tram_fmt ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
if(TARGET tram)
  add_dependencies(tram tram_peer)  # The one that the program does not use, so that all is there to be installed.
endif()
include(CMakePackageConfigHelpers)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/tram-config.cmake.in ${PROJECT_BINARY_DIR}/tram-config.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tram
                              PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tram-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tram-config.cmake ${PROJECT_BINARY_DIR}/tram-config-version.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tram COMPONENT library)
configure_file(${CMAKE_CURRENT_LIST_DIR}/tram.pc.in ${PROJECT_BINARY_DIR}/tram.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/tram.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT library)

# The licence is Debian's `copyright` file in the package; the same name serves everywhere.
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright COMPONENT tram)
foreach(document README.md CHANGELOG.md)
  if(EXISTS ${PROJECT_SOURCE_DIR}/${document})
    install(FILES ${PROJECT_SOURCE_DIR}/${document} DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT tram)
  endif()
endforeach()
if(EXISTS ${PROJECT_SOURCE_DIR}/docs)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT tram)
endif()

# tram_install_completion(file folder name)
function(tram_install_completion file folder name)
  if(EXISTS ${PROJECT_SOURCE_DIR}/packaging/completion/${file})
    install(FILES ${PROJECT_SOURCE_DIR}/packaging/completion/${file}
            DESTINATION ${CMAKE_INSTALL_DATADIR}/${folder} RENAME ${name} COMPONENT tram)
  endif()
endfunction()
tram_install_completion(tram.bash bash-completion/completions tram)
tram_install_completion(tram.zsh zsh/vendor-completions _tram)
tram_install_completion(tram.fish fish/vendor_completions.d tram.fish)

# Only a package puts files outside its prefix, and only a package names /usr/bin.
install(FILES ${PROJECT_SOURCE_DIR}/packaging/systemd/tram.service
        DESTINATION /lib/systemd/system COMPONENT service)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/systemd/default
        DESTINATION /etc/default RENAME tram COMPONENT service)

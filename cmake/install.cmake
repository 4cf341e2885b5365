# What `make install` puts where, below PREFIX: the one program, what completes its commands, its
# documents. The library is used from source (add_subdirectory), so no headers are installed.
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

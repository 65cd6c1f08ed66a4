# What is installed, and the Debian packages that CPack makes of it: a component is a package.
# `./dev package` builds the target package_files and runs cpack.
#
# Programs are installed by any `cmake --install`. What only a Debian system has a place for (/etc,
# systemd's folder, maintainer scripts) is EXCLUDE_FROM_ALL: it goes into a package and nowhere else.

set(SEATLOCK_PACKAGE_MAINTAINER "SeatLock maintainers <maintainers@seatlock.example>"
    CACHE STRING "Maintainer of the Debian packages: NAME <MAIL>")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME seatlock)
set(CPACK_PACKAGE_VENDOR "SeatLock")
set(CPACK_PACKAGE_CONTACT ${SEATLOCK_PACKAGE_MAINTAINER})
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# What must be built before cpack runs: manuals, completions and changelogs among it. Made at each
# package build, for they hold what --help says.
set(SEATLOCK_MANUALS ${CMAKE_BINARY_DIR}/manuals)
add_custom_target(package_files
  COMMAND python3 -B ${CMAKE_SOURCE_DIR}/deploy/manuals/make.py ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
          ${SEATLOCK_MANUALS} ${PROJECT_VERSION} ${SEATLOCK_PACKAGE_MAINTAINER}
  COMMENT "Making manuals and completions" VERBATIM)
set(CPACK_COMPONENTS_ALL)

# Copyright and changelogs, the same in each package. Below the prefix, and the changelogs only if
# package_files was built: libseatlock-dev is installed by `cmake --install --component` too.
function(seatlock_package_texts name)
  install(FILES ${CMAKE_SOURCE_DIR}/deploy/debian/copyright
          DESTINATION share/doc/${name} COMPONENT ${name} EXCLUDE_FROM_ALL)
  install(FILES ${SEATLOCK_MANUALS}/changelog.gz ${SEATLOCK_MANUALS}/changelog.Debian.gz
          DESTINATION share/doc/${name} COMPONENT ${name} EXCLUDE_FROM_ALL OPTIONAL)
endfunction()

# seatlock_package(NAME SUMMARY "..." DESCRIPTION "..." [DEPENDS ...] [SECTION ...]): the component
# NAME is the package NAME. Its files come by install(... COMPONENT NAME).
macro(seatlock_package name)
  cmake_parse_arguments(PKG "" "SUMMARY;DESCRIPTION;DEPENDS;SECTION" "" ${ARGN})
  string(TOUPPER ${name} PKG_UPPER)
  list(APPEND CPACK_COMPONENTS_ALL ${name})
  set(CPACK_DEBIAN_${PKG_UPPER}_PACKAGE_NAME ${name})
  set(CPACK_DEBIAN_${PKG_UPPER}_DESCRIPTION "${PKG_SUMMARY}\n${PKG_DESCRIPTION}")
  if(PKG_DEPENDS)
    set(CPACK_DEBIAN_${PKG_UPPER}_PACKAGE_DEPENDS "${PKG_DEPENDS}")
  endif()
  if(PKG_SECTION)
    set(CPACK_DEBIAN_${PKG_UPPER}_PACKAGE_SECTION ${PKG_SECTION})
  endif()
  seatlock_package_texts(${name})
endmacro()

include(packaging_programs)
# The C++ client as a library: packaging_dev.cmake says what is in the package libseatlock-dev.
list(APPEND CPACK_COMPONENTS_ALL libseatlock-dev)
add_dependencies(package_files seatlock_dev)
seatlock_package_texts(libseatlock-dev)

include(CPack)

# The packages seatlockd, seatlock-edge and seatctl. Part of packaging.cmake.

seatlock_package(seatlockd
  SUMMARY "seat locks and bookings as a gRPC service"
  DESCRIPTION "seatlockd owns the locks and bookings of seats of any number of showtimes,\n\
and streams their changes. It keeps them in a SQLite file, or in a Redis that\n\
several servers share."
  DEPENDS adduser)
seatlock_package(seatlock-edge
  SUMMARY "live seat maps for browsers, over WebSocket"
  DESCRIPTION "seatlock-edge follows the changes of seats that seatlockd streams and sends\n\
them to browsers as WebSocket messages. It keeps nothing, so any number of\n\
edges follow one service.")
seatlock_package(seatctl
  SUMMARY "command line of SeatLock"
  DESCRIPTION "seatctl locks, books and watches seats over the gRPC API of seatlockd, shows\n\
how servers and edges fare, finds what is set up wrongly, and loads them."
  SECTION utils)

install(TARGETS seatlockd RUNTIME DESTINATION sbin COMPONENT seatlockd)
install(TARGETS seatlock-edge RUNTIME DESTINATION sbin COMPONENT seatlock-edge)
install(TARGETS seatctl RUNTIME DESTINATION bin COMPONENT seatctl)
add_dependencies(package_files seatlockd seatlock-edge seatctl)

# seatlock_package_files(NAME SECTION): page and completions.
function(seatlock_package_files name section)
  install(FILES ${SEATLOCK_MANUALS}/${name}.${section}.gz DESTINATION /usr/share/man/man${section}
          COMPONENT ${name} EXCLUDE_FROM_ALL)
  install(FILES ${SEATLOCK_MANUALS}/${name}.bash RENAME ${name}
          DESTINATION /usr/share/bash-completion/completions COMPONENT ${name} EXCLUDE_FROM_ALL)
  install(FILES ${SEATLOCK_MANUALS}/_${name} DESTINATION /usr/share/zsh/vendor-completions
          COMPONENT ${name} EXCLUDE_FROM_ALL)
endfunction()
seatlock_package_files(seatlockd 8)
seatlock_package_files(seatlock-edge 8)
seatlock_package_files(seatctl 1)

# seatlock_package_service(NAME PERMISSION...): the unit, its settings, which have these permissions,
# and the maintainer scripts.
function(seatlock_package_service name)
  install(FILES ${CMAKE_SOURCE_DIR}/deploy/systemd/${name}.service DESTINATION /lib/systemd/system
          COMPONENT ${name} EXCLUDE_FROM_ALL)
  # For whoever wants keys and certificates: docs/debian.md.
  install(FILES ${CMAKE_SOURCE_DIR}/deploy/systemd/${name}.service.d/secrets.conf
          DESTINATION /usr/share/${name} COMPONENT ${name} EXCLUDE_FROM_ALL)
  install(PROGRAMS ${CMAKE_SOURCE_DIR}/deploy/secrets/make.sh RENAME make-secrets
          DESTINATION /usr/share/${name} COMPONENT ${name} EXCLUDE_FROM_ALL)
  install(FILES ${CMAKE_SOURCE_DIR}/deploy/debian/${name}.env DESTINATION /etc/seatlock
          PERMISSIONS ${ARGN} COMPONENT ${name} EXCLUDE_FROM_ALL)
  set(scripts)
  foreach(script conffiles postinst prerm postrm)
    list(APPEND scripts ${CMAKE_SOURCE_DIR}/deploy/debian/${name}/${script})
  endforeach()
  string(TOUPPER ${name} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA ${scripts} PARENT_SCOPE)
endfunction()
# Those of seatlockd may hold Redis's password; its postinst gives them to the group seatlock.
seatlock_package_service(seatlockd OWNER_READ OWNER_WRITE GROUP_READ)
seatlock_package_service(seatlock-edge OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)

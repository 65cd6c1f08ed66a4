# The packages seatlockd, seatlock-edge and seatctl. Part of packaging.cmake.

seatlock_package(seatlockd
  SUMMARY "seat locks and bookings as a gRPC service"
  DESCRIPTION "seatlockd owns the locks and bookings of seats of any number of showtimes, and streams\n\
their changes. It keeps them in a SQLite file, or in a Redis that several servers share."
  DEPENDS adduser)
seatlock_package(seatlock-edge
  SUMMARY "live seat maps for browsers, over WebSocket"
  DESCRIPTION "seatlock-edge follows the changes of seats that seatlockd streams and sends them to\n\
browsers as WebSocket messages. It keeps nothing, so any number of edges follow one service.")
seatlock_package(seatctl
  SUMMARY "command line of SeatLock"
  DESCRIPTION "seatctl locks, books and watches seats over the gRPC API of seatlockd."
  SECTION utils)

install(TARGETS seatlockd RUNTIME DESTINATION sbin COMPONENT seatlockd)
install(TARGETS seatlock-edge RUNTIME DESTINATION sbin COMPONENT seatlock-edge)
install(TARGETS seatctl RUNTIME DESTINATION bin COMPONENT seatctl)
add_dependencies(package_files seatlockd seatlock-edge seatctl)

# The C++ client as a library for programs outside this tree. `cmake --install build/release
# --component libseatlock-dev` and the package of that name give
#
#   include/seatlock/                 client.h and what it includes, the messages and stubs
#   LIBDIR/libseatlock.a              one archive, position-independent
#   LIBDIR/cmake/SeatLock/            find_package(SeatLock): SeatLock::client
#   LIBDIR/pkgconfig/seatlock.pc      pkg-config --cflags --libs seatlock
#
# All of it may be moved: nothing names the prefix. docs/other-languages.md shows how to use it. Include this
# file before CPack.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(component libseatlock-dev)
set(client_parts seatlock_client seatlock_tls_channel seatlock_proto_v1 seatlock_proto_service seatlock_proto_rpc)

# Programs may put the client into a shared library of their own. Our programs have the same objects
# in them: without the option the compiler could inline no function that another library might
# replace.
set_target_properties(${client_parts} PROPERTIES POSITION_INDEPENDENT_CODE ON)
set(client_objects)
foreach(part ${client_parts})
  target_compile_options(${part} PRIVATE -fno-semantic-interposition)
  list(APPEND client_objects $<TARGET_OBJECTS:${part}>)
endforeach()

# Of common/base what the client uses; the rest would bring OpenSSL with it.
add_library(seatlock_dev STATIC ${client_objects}
  common/base/host_port.cc common/base/look_up.cc common/base/read_file.cc
  common/base/server_list.cc  common/base/trace_context.cc)
set_target_properties(seatlock_dev PROPERTIES
  OUTPUT_NAME seatlock EXPORT_NAME client POSITION_INDEPENDENT_CODE ON)
target_link_libraries(seatlock_dev
  PUBLIC gRPC::grpc++ protobuf::libprotobuf absl::cord absl::status absl::statusor absl::strings
         Threads::Threads
  PRIVATE $<BUILD_INTERFACE:seatlock_options>)
target_compile_features(seatlock_dev INTERFACE cxx_std_17)
# What is given away names no folder of the machine that built it, and is a third as large.
add_custom_command(TARGET seatlock_dev POST_BUILD
  COMMAND ${CMAKE_STRIP} --strip-debug $<TARGET_FILE:seatlock_dev> VERBATIM)

if(SEATLOCK_TESTS)
  # Links only if the archive has all that the client uses.
  add_executable(cpp_client_example examples/cpp-client/main.cc)
  target_include_directories(cpp_client_example PRIVATE clients/cpp/include)
  target_include_directories(cpp_client_example SYSTEM PRIVATE ${CMAKE_BINARY_DIR}/gen)
  target_link_libraries(cpp_client_example PRIVATE seatlock_dev seatlock_options)
  set_target_properties(cpp_client_example PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/dev)
endif()

set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/SeatLock)
install(TARGETS seatlock_dev EXPORT SeatLockTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY clients/cpp/include/seatlock
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT ${component})
install(FILES
  ${CMAKE_BINARY_DIR}/gen/seatlock/v1/seats.pb.h
  ${CMAKE_BINARY_DIR}/gen/seatlock/v1/seatlock_service.pb.h
  ${CMAKE_BINARY_DIR}/gen/seatlock/v1/seatlock_service.grpc.pb.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/seatlock/v1 COMPONENT ${component})
install(EXPORT SeatLockTargets NAMESPACE SeatLock::
  DESTINATION ${config_folder} COMPONENT ${component})

configure_package_config_file(
  cmake/dev/SeatLockConfig.cmake.in ${CMAKE_BINARY_DIR}/dev/SeatLockConfig.cmake
  INSTALL_DESTINATION ${config_folder} NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0 a minor version may change what is there.
write_basic_package_version_file(
  ${CMAKE_BINARY_DIR}/dev/SeatLockConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_BINARY_DIR}/dev/SeatLockConfig.cmake ${CMAKE_BINARY_DIR}/dev/SeatLockConfigVersion.cmake
  DESTINATION ${config_folder} COMPONENT ${component})

# From LIBDIR/pkgconfig to the prefix.
file(RELATIVE_PATH pkgconfig_prefix
  /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" pkgconfig_prefix ${pkgconfig_prefix})
configure_file(cmake/dev/seatlock.pc.in ${CMAKE_BINARY_DIR}/dev/seatlock.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/dev/seatlock.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT ${component})

set(CPACK_DEBIAN_LIBSEATLOCK-DEV_DESCRIPTION
  "C++ client of the SeatLock seat service
Typed calls with deadlines and safe retries, and a watch that resumes, for
C++17 and later: headers, a static library, and files for
find_package(SeatLock) and pkg-config.")
set(CPACK_DEBIAN_LIBSEATLOCK-DEV_PACKAGE_NAME libseatlock-dev)
set(CPACK_DEBIAN_LIBSEATLOCK-DEV_PACKAGE_SECTION libdevel)
# find_package(gRPC) fails without the programs of protobuf-compiler-grpc, which libgrpc++-dev does not
# bring.
set(CPACK_DEBIAN_LIBSEATLOCK-DEV_PACKAGE_DEPENDS
  "libabsl-dev, libgrpc++-dev, libprotobuf-dev, protobuf-compiler-grpc")

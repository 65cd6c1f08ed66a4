# One way to declare each kind of target, so that every folder's CMakeLists.txt is a list of files.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# ccache reuses objects between presets, worktrees and clones. Precompiled headers need the two
# sloppiness words, or every translation unit that uses one misses.
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()

# What all of our own code is compiled with.
add_library(seatlock_options INTERFACE)
target_compile_options(seatlock_options INTERFACE -Wall -Wextra -Wshadow -Werror)
target_include_directories(seatlock_options INTERFACE ${CMAKE_SOURCE_DIR})
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 warns falsely about std::string and std::optional under -O2 (GCC bug 105651, 105562).
  target_compile_options(seatlock_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized -fpch-preprocess)
else()
  target_compile_options(seatlock_options INTERFACE -Wthread-safety)
endif()

if(SEATLOCK_SANITIZER STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(SEATLOCK_SANITIZER STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer -Wno-tsan)
  add_link_options(-fsanitize=thread)
elseif(SEATLOCK_SANITIZER STREQUAL "fuzzer")
  # clang alone. What is linked with seatlock_fuzzer gets libFuzzer's main besides.
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(NOT SEATLOCK_SANITIZER STREQUAL "")
  message(FATAL_ERROR "SEATLOCK_SANITIZER is '${SEATLOCK_SANITIZER}': empty, address, thread or fuzzer")
endif()

# Debian's gRPC is not built for ThreadSanitizer: how it hands a call from thread to thread is
# invisible, and its headers put much of that code into whoever includes them. Protobuf's headers
# even lay out their classes otherwise under it than Debian's library does. What includes either is
# therefore left out of the instrumentation; the locks that it takes are still seen. The engine, the
# logs, edge/showtime and edge/fanout, where threads of ours share memory, are instrumented whole.
function(seatlock_without_tsan)
  if(SEATLOCK_SANITIZER STREQUAL "thread")
    foreach(target ${ARGN})
      target_compile_options(${target} PRIVATE -fno-sanitize=thread)
    endforeach()
  endif()
endfunction()
function(seatlock_without_tsan_if_grpc target)
  foreach(dep seatlock::proto_log seatlock::proto_v1 seatlock::proto_rpc seatlock::proto_service
              seatlock::proto_grpc seatlock::proto_reflection
              seatlock::rpc seatlock::edge_upstream seatlock::client seatlock::testing_client
              seatlock::edge_fake_service)
    if(dep IN_LIST ARGN)
      seatlock_without_tsan(${target})
      return()
    endif()
  endforeach()
endfunction()

# seatlock_library(NAME SOURCES a.cc a.h DEPS ...): the library seatlock::NAME.
function(seatlock_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(seatlock_${name} STATIC ${ARG_SOURCES})
  add_library(seatlock::${name} ALIAS seatlock_${name})
  target_link_libraries(seatlock_${name} PUBLIC ${ARG_DEPS} PRIVATE seatlock_options)
  target_include_directories(seatlock_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  seatlock_without_tsan_if_grpc(seatlock_${name} ${ARG_DEPS})
endfunction()

# seatlock_binary(NAME SOURCES main.cc DEPS ...): the program bin/NAME.
function(seatlock_binary name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} seatlock_options)
  seatlock_without_tsan_if_grpc(${name} ${ARG_DEPS})
endfunction()

# seatlock_test(NAME LABEL unit TIMEOUT 60 SOURCES x_test.cc DEPS ... [LONG_PERCENT 12500]
# [LONG_TIMEOUT 7200] [LONG_ARGS ...]): a GoogleTest program, run as one ctest entry (starting a
# process per test case costs more than the cases do).
#
# LONG_PERCENT N adds a long form, the entry NAME_long: the same program with N % of the rounds that
# it asks Rounds() for (tests/testing/rounds.h). To have 1,000 rounds of a test that says Rounds(8),
# write 12500. LONG_ARGS are for the long form alone: a test that keeps the history of all its rounds
# is run many times (--gtest_repeat) with fewer rounds. The entry has the label `long` alone, so
# `./dev test -L long` runs it and nothing else does.
function(seatlock_test name)
  if(NOT SEATLOCK_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT;LONG_PERCENT;LONG_TIMEOUT" "LONG_ARGS;SOURCES;DEPS"
                        ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} seatlock_options GTest::gmock GTest::gtest_main)
  seatlock_without_tsan_if_grpc(${name} ${ARG_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
  if(ARG_LONG_PERCENT)
    if(NOT ARG_LONG_TIMEOUT)
      set(ARG_LONG_TIMEOUT 7200)
    endif()
    add_test(NAME ${name}_long COMMAND ${name} ${ARG_LONG_ARGS})
    set_tests_properties(${name}_long PROPERTIES LABELS long TIMEOUT ${ARG_LONG_TIMEOUT}
      ENVIRONMENT SEATLOCK_ROUNDS_PERCENT=${ARG_LONG_PERCENT})
  endif()
endfunction()

# seatlock_fuzzer(NAME SOURCES x_fuzzer.cc DEPS ...): the libFuzzer program tests/NAME_fuzzer, under
# the fuzz preset alone.
function(seatlock_fuzzer name)
  if(NOT SEATLOCK_SANITIZER STREQUAL "fuzzer")
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name}_fuzzer ${ARG_SOURCES})
  target_link_libraries(${name}_fuzzer PRIVATE ${ARG_DEPS} seatlock_options)
  target_link_options(${name}_fuzzer PRIVATE -fsanitize=fuzzer)
  set_target_properties(${name}_fuzzer PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endfunction()

# Writes OUT with the git revision of SOURCE_DIR, only when it changed, so that a commit rebuilds
# version.cc alone. Run at each build: cmake -DOUT= -DSOURCE_DIR= -DVERSION= -P revision.cmake
# SEATLOCK_REVISION in the environment goes before git, for a build without the repository.
execute_process(
  COMMAND git -C ${SOURCE_DIR} rev-parse --short=12 HEAD
  OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(DEFINED ENV{SEATLOCK_REVISION})
  set(revision $ENV{SEATLOCK_REVISION})
elseif(failed)
  set(revision unknown)
endif()
set(text "#define SEATLOCK_VERSION \"${VERSION}\"\n#define SEATLOCK_GIT_REVISION \"${revision}\"\n")
if(EXISTS ${OUT})
  file(READ ${OUT} old)
endif()
if(NOT "${text}" STREQUAL "${old}")
  file(WRITE ${OUT} "${text}")
endif()

# Makes faults of memory harder to use, in what is released. tests/checks/hardening.py proves each of
# them on the programs. Under a sanitizer, and without optimisation, _FORTIFY_SOURCE does not work.
#
#   _FORTIFY_SOURCE=2          copies into buffers of known size are bounded
#   -fstack-protector-strong   a stack frame that was written over ends the program
#   -fPIE -pie                 the program itself lies at a random address
#   -z relro, -z now           tables of addresses are read-only before main() begins
#   -fcf-protection            jumps and returns lead only where they may, on CPUs with CET (x86)
if(SEATLOCK_SANITIZER OR NOT CMAKE_BUILD_TYPE MATCHES "^(Release|RelWithDebInfo)$")
  return()
endif()

set(hardening "-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  string(APPEND hardening " -fcf-protection")
endif()
# In the flags and not in the options of targets: those that must be -fPIC say so after it.
string(APPEND CMAKE_CXX_FLAGS " ${hardening} -fPIE")
string(APPEND CMAKE_EXE_LINKER_FLAGS " -pie -Wl,-z,relro,-z,now")
string(APPEND CMAKE_MODULE_LINKER_FLAGS " -Wl,-z,relro,-z,now")

// A library for LD_PRELOAD that gives the host $NAMED_HOST, for the program it is loaded into, the
// two addresses 127.0.0.1 and 127.0.0.2, as a DNS name that stands for two servers. Other names are
// looked up as ever.
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  using LookUp = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const LookUp look_up = reinterpret_cast<LookUp>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  const char* const named = ::getenv("NAMED_HOST");
  if (host == nullptr || named == nullptr || ::strcmp(host, named) != 0) {
    return look_up(host, service, hints, found);
  }
  const int first = look_up("127.0.0.1", service, hints, found);
  if (first != 0) return first;
  addrinfo* last = *found;
  while (last->ai_next != nullptr) last = last->ai_next;
  // glibc frees a list node by node, so two lists can be one.
  return look_up("127.0.0.2", service, hints, &last->ai_next);
}

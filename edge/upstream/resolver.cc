#include "edge/upstream/resolver.h"

#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/status/status.h"

namespace seatlock::edge {
namespace {

absl::StatusOr<std::vector<std::string>> LookUp(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  // No IPv6 addresses on a machine that has none itself.
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0) {
    return absl::UnavailableError(gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text.data());
    }
  }
  return addresses;
}

}  // namespace

void SystemResolver::Resolve(const std::string& host, Done done) {
  try {
    std::thread([host, done] { done(LookUp(host)); }).detach();
  } catch (const std::system_error& error) {  // No thread to be had.
    done(absl::UnavailableError(error.what()));
  }
}

}  // namespace seatlock::edge

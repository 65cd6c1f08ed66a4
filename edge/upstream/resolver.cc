#include "edge/upstream/resolver.h"

#include <system_error>
#include <thread>

#include "absl/status/status.h"
#include "common/base/look_up.h"

namespace seatlock::edge {

void SystemResolver::Resolve(const std::string& host, Done done) {
  try {
    std::thread([host, done] { done(base::LookUpHost(host)); }).detach();
  } catch (const std::system_error& error) {  // No thread to be had.
    done(absl::UnavailableError(error.what()));
  }
}

}  // namespace seatlock::edge

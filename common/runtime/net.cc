#include "common/runtime/net.h"

#include <sys/resource.h>

#include <cerrno>
#include <optional>

#include "common/base/port.h"

namespace seatlock::runtime {

absl::StatusOr<uint16_t> ParsePort(std::string_view text) {
  if (const std::optional<uint16_t> port = base::ParsePort(text)) return *port;
  return absl::InvalidArgumentError("must be a port between 0 and 65535");
}

absl::StatusOr<uint64_t> RaiseOpenFilesLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return absl::ErrnoToStatus(errno, "cannot read the limit of open files");
  }
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return absl::ErrnoToStatus(errno, "cannot raise the limit of open files");
  }
  return limit.rlim_cur;
}

}  // namespace seatlock::runtime

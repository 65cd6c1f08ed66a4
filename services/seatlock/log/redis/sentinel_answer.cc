#include "services/seatlock/log/redis/sentinel_answer.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace seatlock::log {

absl::StatusOr<NamedPrimary> ReadNamed(const std::vector<std::string>& address,
                                       const std::vector<std::string>& master,
                                       absl::string_view name) {
  uint32_t port = 0;
  if (address.size() != 2 || !absl::SimpleAtoi(address[1], &port) || port == 0 ||
      port > UINT16_MAX) {
    return absl::FailedPreconditionError(absl::StrCat("knows no primary that is called ", name));
  }
  NamedPrimary named{.address = {address[0], static_cast<uint16_t>(port)}};
  for (size_t i = 0; i + 1 < master.size(); i += 2) {
    if (master[i] != "config-epoch") continue;
    if (!absl::SimpleAtoi(master[i + 1], &named.epoch)) named.epoch = 0;
  }
  return named;
}

absl::Status SentinelError(absl::string_view error) {
  if (absl::StrContains(error, "unknown command")) {
    return absl::FailedPreconditionError("is no sentinel");
  }
  const bool passes = absl::StartsWith(error, "LOADING") || absl::StartsWith(error, "BUSY");
  return passes ? absl::UnavailableError(error) : absl::FailedPreconditionError(error);
}

const NamedPrimary& NewestOf(const std::vector<NamedPrimary>& named) {
  return *std::max_element(
      named.begin(), named.end(),
      [](const NamedPrimary& a, const NamedPrimary& b) { return a.epoch < b.epoch; });
}

void KeepTelling(absl::Status& kept, const absl::Status& status) {
  const bool mend = !absl::IsUnavailable(status);
  if (kept.ok() || (mend && absl::IsUnavailable(kept))) kept = status;
}

}  // namespace seatlock::log

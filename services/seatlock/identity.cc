#include "services/seatlock/identity.h"

#include <string>

#include "common/base/clock.h"
#include "common/base/read_file.h"
#include "common/runtime/logging.h"

namespace seatlock {
namespace {

void Report(const std::string& file, const absl::Status& status) {
  if (status.ok()) return runtime::LogInfo("read anew", {{"file", file}});
  runtime::LogError("cannot be used; what was read before stays",
                    {{"file", file}, {"error", status.message()}});
}

}  // namespace

absl::StatusOr<std::unique_ptr<guard::Authenticator>> OpenIdentity(const guard::AuthFiles& files) {
  if (!files.any()) return nullptr;
  // Tokens are made by the clocks of others: by the machine's, not by the one that seats go by.
  return guard::Authenticator::Open(files, base::SystemClock(), &Report);
}

// A JWKS is public, so that others may read it.
void WarnOfIdentity(const guard::AuthFiles& files) {
  if (!files.keys.empty() && base::OpenToOthers(files.keys)) {
    runtime::LogWarn("others may read or write this file: chmod 600", {{"file", files.keys}});
  }
  if (!files.jwks.empty() && files.expected.audience.empty()) {
    runtime::LogWarn("without --auth-audience, tokens that were made for others are taken, too");
  }
}

}  // namespace seatlock

#include "edge/upstream_token.h"

#include "common/base/read_file.h"
#include "common/base/token_file.h"
#include "common/runtime/logging.h"

namespace seatlock::edge {

absl::StatusOr<std::unique_ptr<UpstreamToken>> OpenUpstreamToken(const std::string& path,
                                                                 const base::Clock& clock) {
  if (path.empty()) return nullptr;
  return UpstreamToken::Open(
      clock, {path}, [path] { return base::ReadTokenFile(path); },
      [path](const absl::Status& status) {
        if (status.ok()) return runtime::LogInfo("read anew", {{"file", path}});
        runtime::LogError("cannot be used; what was read before stays",
                          {{"file", path}, {"error", status.message()}});
      });
}

void WarnOfUpstreamToken(const std::string& path) {
  if (path.empty() || !base::OpenToOthers(path)) return;
  runtime::LogWarn("others can read the token of --upstream-token-file", {{"file", path}});
}

}  // namespace seatlock::edge

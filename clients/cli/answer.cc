#include "clients/cli/answer.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace seatlock::cli {

client::ClientOptions ClientOptionsOf(const CommonArgs& args) {
  client::ClientOptions options;
  options.servers = args.servers;
  options.tls = args.tls;
  options.token = args.token;
  options.timeout = std::chrono::milliseconds(args.timeout_ms);
  options.attempt_timeout = std::min(options.attempt_timeout, options.timeout);
  return options;
}

bool Print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return std::fflush(stdout) == 0;
}

int Fail(const Args& args, const absl::Status& status) {
  const client::CallError error = client::ErrorOf(status);
  const std::string text = args.json ? ErrorJson(error) : ErrorText(args, error);
  std::fputs(text.c_str(), stderr);
  return ExitCodeOf(error);
}

void SetDuration(int64_t ms, google::protobuf::Duration* duration) {
  duration->set_seconds(ms / 1000);
  duration->set_nanos(static_cast<int32_t>(ms % 1000 * 1'000'000));
}

}  // namespace seatlock::cli

// TLS to the seat service as the settings name it.
#pragma once

#include <grpcpp/security/credentials.h>

#include <memory>

#include "absl/status/statusor.h"
#include "edge/config.h"

namespace seatlock::edge {

// Null without TLS. An error is one line that names the file at fault. Later changes of the files
// are used by connections that begin then (common/tls/channel_credentials.h).
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> OpenUpstreamTls(const UpstreamTls& tls);

// Logs a warning if others can read the key.
void WarnOfUpstreamKey(const UpstreamTls& tls);

}  // namespace seatlock::edge

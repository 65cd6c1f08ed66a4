#include "edge/upstream_tls.h"

#include "common/base/read_file.h"
#include "common/runtime/logging.h"
#include "common/tls/certificate_files.h"
#include "common/tls/channel_credentials.h"

namespace seatlock::edge {

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> OpenUpstreamTls(const UpstreamTls& tls) {
  if (tls.ca.empty()) return nullptr;
  absl::Status read = tls::LoadAuthorities(tls.ca).status();
  if (read.ok() && !tls.cert.empty()) read = tls::LoadIdentity(tls.cert, tls.key).status();
  if (!read.ok()) return read;
  return tls::ChannelCredentials({tls.ca, tls.cert, tls.key});
}

void WarnOfUpstreamKey(const UpstreamTls& tls) {
  if (tls.key.empty() || !base::OpenToOthers(tls.key)) return;
  runtime::LogWarn("others can read the key of --upstream-cert", {{"file", tls.key}});
}

}  // namespace seatlock::edge

#include "clients/cpp/credentials.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "common/base/read_file.h"
#include "common/tls/channel_credentials.h"

namespace seatlock::client {
namespace {

// The authorities of a whole system take 250 KiB.
constexpr size_t kPemBytesMax = 1 << 20;

}  // namespace

absl::Status CheckTls(const std::optional<TlsOptions>& tls) {
  if (!tls) return absl::OkStatus();
  if (tls->cert.empty() != tls->key.empty()) {
    return absl::InvalidArgumentError("tls.cert and tls.key go together: one is missing");
  }
  for (const std::string& path : {tls->ca, tls->cert, tls->key}) {
    if (path.empty()) continue;
    const auto read = base::ReadFile(path, kPemBytesMax);
    if (!read.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("tls: ", read.status().message()));
    }
  }
  return absl::OkStatus();
}

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const std::optional<TlsOptions>& tls) {
  if (!tls) return grpc::InsecureChannelCredentials();
  return tls::ChannelCredentials({tls->ca, tls->cert, tls->key});
}

void SetServerName(const std::optional<TlsOptions>& tls, const std::string& authority,
                   grpc::ChannelArguments* args) {
  if (!tls) return;
  const std::string& name = tls->server_name.empty() ? authority : tls->server_name;
  if (!name.empty()) args->SetString(GRPC_ARG_DEFAULT_AUTHORITY, name);
}

}  // namespace seatlock::client

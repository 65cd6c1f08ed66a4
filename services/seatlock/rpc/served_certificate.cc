#include "services/seatlock/rpc/served_certificate.h"

#include <grpc/grpc.h>

#include <utility>

namespace seatlock::rpc {
namespace {

// gRPC's C++ API takes no fetcher, so these hand its C API's credentials to the server.
class FetchingCredentials final : public grpc::ServerCredentials {
 public:
  explicit FetchingCredentials(grpc_server_credentials* owned) : credentials_(owned) {}
  ~FetchingCredentials() override { grpc_server_credentials_release(credentials_); }

  // Nobody sets one: who calls is checked in front of the handlers.
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* const credentials_;
};

}  // namespace

absl::StatusOr<ServedCertificate::Shown> ServedCertificate::Load(const Files& files) {
  Shown shown;
  absl::StatusOr<tls::Identity> identity = tls::LoadIdentity(files.cert, files.key);
  if (!identity.ok()) return identity.status();
  shown.identity = *std::move(identity);
  if (!files.mutual()) return shown;
  absl::StatusOr<std::string> authorities = tls::LoadAuthorities(files.client_ca);
  if (!authorities.ok()) return authorities.status();
  shown.client_authorities_pem = *std::move(authorities);
  return shown;
}

absl::StatusOr<std::unique_ptr<ServedCertificate>> ServedCertificate::Open(const base::Clock& clock,
                                                                           const Files& files,
                                                                           Report report) {
  std::vector<std::string> paths = {files.cert, files.key};
  if (files.mutual()) paths.push_back(files.client_ca);
  auto shown = base::Reloaded<Shown>::Open(
      clock, std::move(paths), [files] { return Load(files); }, std::move(report));
  if (!shown.ok()) return shown.status();
  return std::unique_ptr<ServedCertificate>(
      new ServedCertificate(*std::move(shown), files.mutual()));
}

std::shared_ptr<grpc::ServerCredentials> ServedCertificate::Credentials() {
  // gRPC has TLS 1.2 and 1.3 only, and strong ciphers.
  const auto clients = mutual_ ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                               : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
  return std::make_shared<FetchingCredentials>(grpc_ssl_server_credentials_create_with_options(
      grpc_ssl_server_credentials_create_options_using_config_fetcher(clients, &Fetch, this)));
}

grpc_ssl_certificate_config_reload_status ServedCertificate::Fetch(
    void* self, grpc_ssl_server_certificate_config** config) {
  auto& served = *static_cast<ServedCertificate*>(self);
  std::shared_ptr<const Shown> shown = served.shown_->Get();
  base::MutexLock lock(served.mu_);
  if (shown == served.given_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  const grpc_ssl_pem_key_cert_pair pair = {shown->identity.key_pem.c_str(),
                                           shown->identity.chain_pem.c_str()};
  const std::string& authorities = shown->client_authorities_pem;
  *config = grpc_ssl_server_certificate_config_create(
      authorities.empty() ? nullptr : authorities.c_str(), &pair, 1);
  served.given_ = std::move(shown);
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

}  // namespace seatlock::rpc

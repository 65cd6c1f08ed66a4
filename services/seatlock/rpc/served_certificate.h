// The certificate that the gRPC port shows, from files that may be replaced while the server runs.
//
// Certificate, key and client authorities change together: they are read and checked as one
// (common/tls/certificate_files.h), and only what fits together is shown. While one of them is
// half-written, wrong or away, what was read last stays. A change is in use about 2 s later, for
// connections that begin then; open ones stay. gRPC asks for it at each handshake
// (grpc_ssl_server_credentials_create_options_using_config_fetcher). Its FileWatcher is not used
// for the server: in 1.51 it hands on a certificate without its key, and handshakes then fail.
//
// Thread-safe but for Tick, which one thread calls at a time. Outlives the server.
#pragma once

#include <grpc/grpc_security.h>
#include <grpcpp/security/server_credentials.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/reloaded.h"
#include "common/tls/certificate_files.h"

namespace seatlock::rpc {

class ServedCertificate {
 public:
  // PEM files. A value.
  struct Files {
    std::string cert;  // the server's own, then those between it and the authority
    std::string key;
    // Who may have signed the clients' certificates: connections without one are refused. Empty:
    // clients are not asked for any.
    std::string client_ca;

    bool mutual() const { return !client_ca.empty(); }
  };
  // Called after each change of the files: OK if it is in use, else why it is not, in one line.
  using Report = std::function<void(const absl::Status&)>;

  // Reads the files; an error is one line that names the one at fault. `clock` outlives it.
  static absl::StatusOr<std::unique_ptr<ServedCertificate>> Open(const base::Clock& clock,
                                                                 const Files& files, Report report);

  ServedCertificate(const ServedCertificate&) = delete;
  ServedCertificate& operator=(const ServedCertificate&) = delete;

  // For one listener.
  std::shared_ptr<grpc::ServerCredentials> Credentials();

  // Looks whether the files have changed, once a second at most. Blocks for the disk.
  void Tick() { shown_->Tick(); }

  // When the certificate that is shown begins and ends to hold. Unix time.
  int64_t begin_seconds() const { return shown_->Get()->identity.begin_seconds; }
  int64_t end_seconds() const { return shown_->Get()->identity.end_seconds; }

 private:
  struct Shown {
    tls::Identity identity;
    std::string client_authorities_pem;  // empty: clients are not asked
  };

  ServedCertificate(std::unique_ptr<base::Reloaded<Shown>> shown, bool mutual)
      : shown_(std::move(shown)), mutual_(mutual) {}

  static absl::StatusOr<Shown> Load(const Files& files);
  // gRPC calls it at a listener's start and at each handshake.
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config);

  const std::unique_ptr<base::Reloaded<Shown>> shown_;
  const bool mutual_;
  base::Mutex mu_;
  // What gRPC was given last.
  std::shared_ptr<const Shown> given_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::rpc

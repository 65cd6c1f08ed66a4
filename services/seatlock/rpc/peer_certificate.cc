#include "services/seatlock/rpc/peer_certificate.h"

#include <grpc/grpc_security_constants.h>

#include <utility>

#include "absl/status/statusor.h"
#include "common/tls/certificate_files.h"

namespace seatlock::rpc {

std::optional<std::string> PeerCertificateSha256(const grpc::AuthContext& context) {
  const auto found = context.FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (found.empty()) return std::nullopt;
  absl::StatusOr<std::string> sha256 =
      tls::Sha256OfCertificate({found.front().data(), found.front().size()});
  if (!sha256.ok()) return std::nullopt;
  return *std::move(sha256);
}

}  // namespace seatlock::rpc

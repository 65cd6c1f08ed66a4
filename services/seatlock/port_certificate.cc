#include "services/seatlock/port_certificate.h"

#include <string>
#include <utility>

#include "common/base/read_file.h"
#include "common/runtime/logging.h"

namespace seatlock {
namespace {

void LogChange(const absl::Status& status) {
  if (status.ok()) {
    runtime::LogInfo("the certificate was replaced");
  } else {
    runtime::LogWarn("the new certificate cannot be used; the one before stays",
                     {{"reason", std::string(status.message())}});
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<rpc::ServedCertificate>> OpenPortCertificate(
    const TlsConfig& tls, const base::Clock& clock, runtime::Metrics& metrics) {
  if (tls.cert.empty()) return nullptr;
  auto opened = rpc::ServedCertificate::Open(clock, {tls.cert, tls.key, tls.client_ca}, &LogChange);
  if (!opened.ok()) return opened.status();
  const rpc::ServedCertificate* certificate = opened->get();
  metrics.AddGaugeCallback(
      "seatlock_certificate_end_seconds",
      "When the certificate of the gRPC port ends, as Unix time. Without TLS there is none.",
      [certificate] { return static_cast<double>(certificate->end_seconds()); });
  return opened;
}

void WarnOfPortCertificate(const TlsConfig& tls, const base::Clock& clock,
                           const rpc::ServedCertificate* certificate) {
  if (certificate == nullptr) return;
  if (base::OpenToOthers(tls.key)) {
    runtime::LogWarn("others can read the key of the gRPC port", {{"file", tls.key}});
  }
  const int64_t now_seconds = clock.NowMs() / 1000;
  if (now_seconds < certificate->begin_seconds() || now_seconds > certificate->end_seconds()) {
    runtime::LogWarn("the certificate of the gRPC port does not hold now", {{"file", tls.cert}});
  }
}

}  // namespace seatlock

// The certificate of the gRPC port as the settings name it: what is logged of it, and its metric.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/runtime/metrics.h"
#include "services/seatlock/config.h"
#include "services/seatlock/rpc/served_certificate.h"

namespace seatlock {

// Null without TLS. An error is one line that names the file at fault. Logs each change of the
// files. `clock` and what is returned live as long as anybody asks `metrics`.
absl::StatusOr<std::unique_ptr<rpc::ServedCertificate>> OpenPortCertificate(
    const TlsConfig& tls, const base::Clock& clock, runtime::Metrics& metrics);

// Logs a warning each if others can read the key, and if the certificate does not hold now.
// `certificate` may be null.
void WarnOfPortCertificate(const TlsConfig& tls, const base::Clock& clock,
                           const rpc::ServedCertificate* certificate);

}  // namespace seatlock

// Certificates and keys in PEM files, read and checked before anybody is shown them. Free
// functions, thread-safe; they block for the disk. No error repeats what is in a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace seatlock::tls {

// Of one file: the authorities of a whole system take 250 KiB.
inline constexpr size_t kPemBytesMax = 1 << 20;

// What one side of a connection shows of itself. Immutable.
struct Identity {
  std::string chain_pem;  // its own certificate, then those between it and the authority
  std::string key_pem;
  // When its own certificate begins and ends to hold. Unix time.
  int64_t begin_seconds = 0;
  int64_t end_seconds = 0;
};

// An error is one line that names the file at fault: it cannot be read, is no PEM, the key needs a
// password or is not the certificate's, or OpenSSL finds one of them too weak.
absl::StatusOr<Identity> LoadIdentity(const std::string& cert_path, const std::string& key_path);

// The certificates of the authorities that are trusted: at least one.
absl::StatusOr<std::string> LoadAuthorities(const std::string& path);

// SHA-256 of the first certificate in `pem`, over its DER, in lower-case hex, as `openssl x509
// -fingerprint -sha256` has it without the colons. INVALID_ARGUMENT if there is none.
absl::StatusOr<std::string> Sha256OfCertificate(const std::string& pem);

}  // namespace seatlock::tls

#include "common/tls/certificate_files.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/read_file.h"

namespace seatlock::tls {
namespace {

template <typename T, void (*Free)(T*)>
struct Freed {
  void operator()(T* one) const { Free(one); }
};
using Certificate = std::unique_ptr<X509, Freed<X509, &X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, &EVP_PKEY_free>>;
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX, &SSL_CTX_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO, &BIO_free_all>>;

Bio Open(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// With a password OpenSSL would ask on the terminal.
int NoPassword(char*, int, int, void*) {
  return 0;
}

Certificate NextCertificate(BIO* bio) {
  return Certificate(PEM_read_bio_X509(bio, nullptr, &NoPassword, nullptr));
}

// What OpenSSL says of its last error, and forgets them all. It never quotes a file.
std::string WhyNot() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? "unknown" : reason;
}

absl::Status Wrong(std::string_view path, std::string_view what) {
  ERR_clear_error();
  return absl::InvalidArgumentError(absl::StrCat(std::string(path), std::string(what)));
}

// How many certificates stand in `pem`, none if one of them is broken.
int CountCertificates(const std::string& pem) {
  const Bio bio = Open(pem);
  int count = 0;
  while (NextCertificate(bio.get())) ++count;
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return at_end ? count : 0;
}

std::optional<int64_t> UnixSeconds(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return timegm(&parts);
}

}  // namespace

absl::StatusOr<Identity> LoadIdentity(const std::string& cert_path, const std::string& key_path) {
  absl::StatusOr<std::string> chain = base::ReadFile(cert_path, kPemBytesMax);
  if (!chain.ok()) return chain.status();
  absl::StatusOr<std::string> key_pem = base::ReadFile(key_path, kPemBytesMax);
  if (!key_pem.ok()) return key_pem.status();
  if (CountCertificates(*chain) == 0) return Wrong(cert_path, " has no certificate in PEM");
  const Certificate own = NextCertificate(Open(*chain).get());
  const Key key(PEM_read_bio_PrivateKey(Open(*key_pem).get(), nullptr, &NoPassword, nullptr));
  if (!key) return Wrong(key_path, " has no private key in PEM, or one with a password");
  const auto begin = UnixSeconds(X509_get0_notBefore(own.get()));
  const auto end = UnixSeconds(X509_get0_notAfter(own.get()));
  if (!begin || !end) return Wrong(cert_path, " has a certificate whose times cannot be read");
  if (X509_check_private_key(own.get(), key.get()) != 1) {
    return Wrong(key_path, absl::StrCat(" is not the key of the certificate in ", cert_path));
  }
  // As a handshake would use them, which also finds a key that is too weak.
  const Context context(SSL_CTX_new(TLS_method()));
  if (!context || SSL_CTX_use_certificate(context.get(), own.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) {
    return Wrong(cert_path, absl::StrCat(" cannot be used: ", WhyNot()));
  }
  return Identity{*std::move(chain), *std::move(key_pem), *begin, *end};
}

absl::StatusOr<std::string> LoadAuthorities(const std::string& path) {
  absl::StatusOr<std::string> pem = base::ReadFile(path, kPemBytesMax);
  if (!pem.ok()) return pem.status();
  if (CountCertificates(*pem) == 0) return Wrong(path, " has no certificate in PEM");
  return pem;
}

absl::StatusOr<std::string> Sha256OfCertificate(const std::string& pem) {
  const Certificate own = NextCertificate(Open(pem).get());
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int bytes = 0;
  if (!own || X509_digest(own.get(), EVP_sha256(), digest, &bytes) != 1) {
    return Wrong("", "no certificate in PEM");
  }
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest), bytes});
}

}  // namespace seatlock::tls

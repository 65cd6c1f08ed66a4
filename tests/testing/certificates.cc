#include "tests/testing/certificates.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/base/look_up.h"

namespace seatlock::testing {
namespace {

template <typename T, void (*Free)(T*)>
struct Freed {
  void operator()(T* one) const { Free(one); }
};
using Certificate = std::unique_ptr<X509, Freed<X509, &X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, &EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO, &BIO_free_all>>;

void Must(bool done) {
  if (!done) abort();
}

std::string TextOf(const Bio& bio) {
  char* data = nullptr;
  const auto bytes = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(bytes)};
}

std::string PemOf(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  Must(PEM_write_bio_X509(bio.get(), certificate) == 1);
  return TextOf(bio);
}

std::string PemOf(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  Must(PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return TextOf(bio);
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  Must(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

Certificate Begin(const CertificateWish& wish, EVP_PKEY* key) {
  Certificate made(X509_new());
  X509_set_version(made.get(), 2);
  unsigned char serial[8];
  Must(RAND_bytes(serial, sizeof(serial)) == 1);
  serial[0] &= 0x7f;
  BIGNUM* number = BN_bin2bn(serial, sizeof(serial), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(made.get()));
  BN_free(number);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), wish.begin_seconds);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), wish.end_seconds);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1, -1, 0);
  Must(X509_set_pubkey(made.get(), key) == 1);
  return made;
}

std::string AlternativeNames(const std::vector<std::string>& hosts) {
  std::string names;
  for (const std::string& host : hosts) {
    const char* kind = base::IsHostAddress(host) ? "IP:" : "DNS:";
    absl::StrAppend(&names, names.empty() ? "" : ",", kind, host);
  }
  return names;
}

}  // namespace

struct Authority::Impl {
  Key key{EVP_EC_gen("P-256")};
  Certificate certificate;
};

Authority::Authority(const std::string& name) : impl_(std::make_unique<Impl>()) {
  EVP_PKEY* key = impl_->key.get();
  impl_->certificate = Begin({.name = name, .hosts = {}}, key);
  X509* own = impl_->certificate.get();
  X509_set_issuer_name(own, X509_get_subject_name(own));
  AddExtension(own, own, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(own, own, NID_key_usage, "critical,keyCertSign,cRLSign");
  Must(X509_sign(own, key, EVP_sha256()) > 0);
  pem_ = PemOf(own);
}

Authority::~Authority() = default;

Issued Authority::Issue(const CertificateWish& wish) const {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate made = Begin(wish, key.get());
  X509* issuer = impl_->certificate.get();
  X509_set_issuer_name(made.get(), X509_get_subject_name(issuer));
  AddExtension(made.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  if (!wish.hosts.empty()) {
    AddExtension(made.get(), issuer, NID_subject_alt_name, AlternativeNames(wish.hosts));
  }
  Must(X509_sign(made.get(), impl_->key.get(), EVP_sha256()) > 0);
  return {PemOf(made.get()), PemOf(key.get())};
}

Issued SelfSignedRsa(int bits) {
  const Key key(EVP_RSA_gen(static_cast<unsigned int>(bits)));
  const Certificate made = Begin({}, key.get());
  X509_set_issuer_name(made.get(), X509_get_subject_name(made.get()));
  Must(X509_sign(made.get(), key.get(), EVP_sha256()) > 0);
  return {PemOf(made.get()), PemOf(key.get())};
}

void WriteSecret(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  Must(::chmod(path.c_str(), S_IRUSR | S_IWUSR) == 0);
}

}  // namespace seatlock::testing

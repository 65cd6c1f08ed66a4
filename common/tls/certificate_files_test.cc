#include "common/tls/certificate_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "tests/testing/certificates.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::tls {
namespace {

using testing::Authority;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::Issued;
using ::testing::Not;
using testing::StatusIs;
using testing::WriteSecret;

class CertificateFilesTest : public ::testing::Test {
 protected:
  absl::StatusOr<Identity> Load(const Issued& issued) {
    WriteSecret(cert_, issued.cert_pem);
    WriteSecret(key_, issued.key_pem);
    return LoadIdentity(cert_, key_);
  }
  std::string Why(const Issued& issued) { return std::string(Load(issued).status().message()); }

  const testing::TempDir dir_;
  const std::string cert_ = dir_.File("server.pem");
  const std::string key_ = dir_.File("server.key");
  const Authority ca_{"ca"};
};

TEST_F(CertificateFilesTest, ACertificateAndItsKeyAreRead) {
  const Issued own = ca_.Issue({.end_seconds = 3600});
  const Issued chained = {own.cert_pem + ca_.pem(), own.key_pem};
  const auto identity = Load(chained);
  ASSERT_THAT(identity, IsOk());
  EXPECT_EQ(identity->chain_pem, chained.cert_pem);
  EXPECT_EQ(identity->key_pem, own.key_pem);
  EXPECT_NEAR(static_cast<double>(identity->end_seconds), time(nullptr) + 3600, 300);
  EXPECT_NEAR(static_cast<double>(identity->begin_seconds), time(nullptr) - 3600, 300);
}

TEST_F(CertificateFilesTest, WhatCannotBeUsedIsOneLineThatNamesTheFile) {
  const Issued own = ca_.Issue({});
  const Issued other = ca_.Issue({});
  EXPECT_EQ(Why({own.cert_pem, other.key_pem}),
            key_ + " is not the key of the certificate in " + cert_);
  EXPECT_EQ(Why({"", own.key_pem}), cert_ + " has no certificate in PEM");
  EXPECT_EQ(Why({own.key_pem, own.key_pem}), cert_ + " has no certificate in PEM");
  EXPECT_EQ(Why({own.cert_pem.substr(0, 300), own.key_pem}), cert_ + " has no certificate in PEM");
  EXPECT_EQ(Why({own.cert_pem + own.cert_pem.substr(0, 300), own.key_pem}),
            cert_ + " has no certificate in PEM");
  EXPECT_EQ(Why({own.cert_pem, own.cert_pem}),
            key_ + " has no private key in PEM, or one with a password");
  EXPECT_EQ(Why(testing::SelfSignedRsa(1024)), cert_ + " cannot be used: ee key too small");
  EXPECT_THAT(Load(testing::SelfSignedRsa(2048)), IsOk());
}

TEST_F(CertificateFilesTest, AFileThatIsAwayIsNamed) {
  const Issued own = ca_.Issue({});
  WriteSecret(cert_, own.cert_pem);
  EXPECT_THAT(LoadIdentity(cert_, key_).status().message(), HasSubstr(key_));
  EXPECT_THAT(LoadIdentity(key_, cert_).status().message(), HasSubstr(key_));
  EXPECT_THAT(LoadAuthorities(key_).status().message(), HasSubstr(key_));
}

TEST_F(CertificateFilesTest, AuthoritiesAreOneCertificateAtLeast) {
  const Authority another("another");
  WriteSecret(cert_, ca_.pem() + "\n" + another.pem());
  const auto both = LoadAuthorities(cert_);
  ASSERT_THAT(both, IsOk());
  EXPECT_EQ(*both, ca_.pem() + "\n" + another.pem());
  WriteSecret(cert_, "");
  EXPECT_THAT(LoadAuthorities(cert_), StatusIs(absl::StatusCode::kInvalidArgument));
}

// As `openssl x509 -fingerprint -sha256` says of this certificate.
TEST_F(CertificateFilesTest, ACertificateIsKnownByItsSha256) {
  constexpr char kPem[] = R"(-----BEGIN CERTIFICATE-----
MIIBdjCCAR2gAwIBAgIUVn+rVTi44QdJggInWPOJUC8Z3zgwCgYIKoZIzj0EAwIw
EDEOMAwGA1UEAwwFa25vd24wIBcNMjYxMTMwMjE1MjUzWhgPMjEyNjExMDYyMTUy
NTNaMBAxDjAMBgNVBAMMBWtub3duMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
yBZHt0KuFWpAjNuSG8/o5zliLLHqui7aJku6Jq79dBtP4C4erQaQbH85CV+D4YMb
Vd05LpddblT06IMVlqpD0aNTMFEwHQYDVR0OBBYEFJNewYhX/KbUr6uQFHtghcCj
3l0BMB8GA1UdIwQYMBaAFJNewYhX/KbUr6uQFHtghcCj3l0BMA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgZSE7Y8YhCg7tos3IhM8QQyCogJlNsoDU
uO54MPsR9RECIF9MiqPQDJa17BPnKihGS+RlGwty5NXUoWKMmkvVtvnt
-----END CERTIFICATE-----
)";
  const auto sha256 = Sha256OfCertificate(kPem);
  ASSERT_THAT(sha256, IsOk());
  EXPECT_EQ(*sha256, "d3735e96be0f4c1e84a3890d617b5ab3daa6a38ac42ac6b53d9bedd5460b694e");
  EXPECT_THAT(Sha256OfCertificate("no certificate"), Not(IsOk()));
}

}  // namespace
}  // namespace seatlock::tls

#include "services/seatlock/rpc/served_certificate.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "common/tls/certificate_files.h"
#include "seatlock/v1/seatlock_service.grpc.pb.h"
#include "services/seatlock/rpc/peer_certificate.h"
#include "tests/testing/certificates.h"
#include "tests/testing/eventually.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::rpc {
namespace {

using testing::Authority;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::Issued;
using testing::WriteSecret;

// What every call that gets as far as a handler ends with.
constexpr auto kReached = grpc::StatusCode::ALREADY_EXISTS;

// Notes the certificate of each caller.
class NotingService final : public grpc::CallbackGenericService {
 public:
  std::vector<std::optional<std::string>> callers;

 private:
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    Reactor() { Finish({kReached, ""}); }
    void OnDone() override { delete this; }
  };
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    callers.push_back(PeerCertificateSha256(*context->auth_context()));
    return new Reactor;
  }
};

class ServedCertificateTest : public ::testing::Test {
 protected:
  void Serve(const Issued& own, const std::string& client_ca_pem = "") {
    Write(own);
    ServedCertificate::Files files{.cert = cert_, .key = key_, .client_ca = ""};
    if (!client_ca_pem.empty()) {
      files.client_ca = dir_.File("clients.pem");
      WriteSecret(files.client_ca, client_ca_pem);
    }
    auto opened = ServedCertificate::Open(clock_, files, [this](const absl::Status& status) {
      reports_.push_back(status.ok() ? "in use" : std::string(status.message()));
    });
    ASSERT_THAT(opened, IsOk());
    certificate_ = *std::move(opened);
    Listen(certificate_->Credentials());
  }
  void Listen(const std::shared_ptr<grpc::ServerCredentials>& credentials) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", credentials, &port_);
    builder.RegisterCallbackGenericService(&service_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }
  void TearDown() override {
    if (server_) server_->Shutdown(std::chrono::system_clock::now());
  }

  void Write(const Issued& own) {
    WriteSecret(cert_, own.cert_pem);
    WriteSecret(key_, own.key_pem);
  }
  // Two looks, as a change needs.
  void Look() {
    for (int i = 0; i < 2; ++i) {
      clock_.AdvanceMs(1000);
      certificate_->Tick();
    }
  }

  // A call over a new connection that trusts `ca`, and shows `own` if it is given.
  grpc::StatusCode Call(const Authority& ca, const Issued& own = {}) {
    return CallWith(grpc::SslCredentials({ca.pem(), own.key_pem, own.cert_pem}));
  }
  grpc::StatusCode CallWith(const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    grpc::ChannelArguments args;
    args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto channel =
        grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port_), credentials, args);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    v1::GetShowtimeResponse response;
    return v1::SeatLockService::NewStub(channel)
        ->GetShowtime(&context, v1::GetShowtimeRequest(), &response)
        .error_code();
  }

  const testing::TempDir dir_;
  const std::string cert_ = dir_.File("server.pem");
  const std::string key_ = dir_.File("server.key");
  const Authority ca_{"ca"};
  const Authority other_{"other"};
  testing::FakeClock clock_;
  std::vector<std::string> reports_;
  std::unique_ptr<ServedCertificate> certificate_;
  NotingService service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(ServedCertificateTest, OnlyThoseWhoTrustItsAuthorityCallIt) {
  Serve(ca_.Issue({}));
  EXPECT_EQ(Call(ca_), kReached);
  EXPECT_EQ(Call(other_), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(CallWith(grpc::InsecureChannelCredentials()), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(service_.callers, ElementsAre(std::nullopt));
}

TEST_F(ServedCertificateTest, AChangeIsInUseForTheNextConnection) {
  Serve(ca_.Issue({.end_seconds = 3600}));
  const int64_t first_end = certificate_->end_seconds();
  Look();
  EXPECT_THAT(reports_, IsEmpty());
  Write(other_.Issue({.end_seconds = 7200}));
  Look();
  EXPECT_THAT(reports_, ElementsAre("in use"));
  EXPECT_NEAR(static_cast<double>(certificate_->end_seconds() - first_end), 3600, 300);
  EXPECT_EQ(Call(other_), kReached);
  EXPECT_EQ(Call(ca_), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ServedCertificateTest, WhileAPairIsHalfWrittenTheOneBeforeStays) {
  Serve(ca_.Issue({}));
  const Issued next = other_.Issue({});
  WriteSecret(cert_, next.cert_pem);
  Look();
  EXPECT_THAT(reports_, ElementsAre(HasSubstr("is not the key of the certificate in")));
  EXPECT_EQ(Call(ca_), kReached);
  Look();  // Said once.
  EXPECT_THAT(reports_, ElementsAre(HasSubstr("is not the key")));
  WriteSecret(key_, next.key_pem);
  Look();
  EXPECT_EQ(reports_.back(), "in use");
  EXPECT_EQ(Call(other_), kReached);
}

// gRPC's own watcher shows what it has read, whether it fits or not.
TEST_F(ServedCertificateTest, ControlGrpcsWatcherRefusesCallersWhileAPairIsHalfWritten) {
  Write(ca_.Issue({}));
  grpc::experimental::TlsServerCredentialsOptions options(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(key_, cert_, 1));
  options.watch_identity_key_cert_pairs();
  Listen(grpc::experimental::TlsServerCredentials(options));
  EXPECT_EQ(Call(ca_), kReached);
  WriteSecret(cert_, ca_.Issue({}).cert_pem);
  EXPECT_TRUE(testing::Eventually([&] { return Call(ca_) == grpc::StatusCode::UNAVAILABLE; }));
}

TEST_F(ServedCertificateTest, WithClientAuthoritiesACallerIsKnownByItsCertificate) {
  Serve(ca_.Issue({}), ca_.pem());
  const Issued client = ca_.Issue({.name = "api"});
  EXPECT_EQ(Call(ca_), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Call(ca_, other_.Issue({.name = "api"})), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(service_.callers, IsEmpty());
  EXPECT_EQ(Call(ca_, client), kReached);
  const auto sha256 = tls::Sha256OfCertificate(client.cert_pem);
  ASSERT_THAT(sha256, IsOk());
  EXPECT_THAT(service_.callers, ElementsAre(*sha256));
}

TEST_F(ServedCertificateTest, ClientAuthoritiesAreReadAnewToo) {
  Serve(ca_.Issue({}), ca_.pem());
  const Issued client = ca_.Issue({.name = "api"});
  const Issued newcomer = other_.Issue({.name = "api"});
  EXPECT_EQ(Call(ca_, newcomer), grpc::StatusCode::UNAVAILABLE);
  WriteSecret(dir_.File("clients.pem"), other_.pem());
  Look();
  EXPECT_EQ(Call(ca_, newcomer), kReached);
  EXPECT_EQ(Call(ca_, client), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ServedCertificateTest, WhatCannotBeUsedAtStartIsAnError) {
  WriteSecret(cert_, ca_.Issue({}).cert_pem);
  WriteSecret(key_, ca_.Issue({}).key_pem);
  const auto opened = ServedCertificate::Open(clock_, {cert_, key_, ""}, [](const auto&) {});
  EXPECT_EQ(opened.status().message(), key_ + " is not the key of the certificate in " + cert_);
  const auto away = ServedCertificate::Open(clock_, {cert_, dir_.File("no"), ""}, nullptr);
  EXPECT_THAT(away.status().message(), HasSubstr(dir_.File("no")));
}

}  // namespace
}  // namespace seatlock::rpc

// Who may call what, on a real server: every RPC of both services with every set of scopes.
#include <gmock/gmock.h>
#include <google/protobuf/empty.pb.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/client_unary_call.h>

#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/executor.h"
#include "common/base/mutex.h"
#include "common/base/slewed_clock.h"
#include "grpc/health/v1/health.pb.h"
#include "seatlock/v1/seatlock_admin_service.pb.h"
#include "seatlock/v1/seatlock_service.pb.h"
#include "services/seatlock/guard/authenticator.h"
#include "services/seatlock/log/memory/memory_log.h"
#include "services/seatlock/rpc/proto_encoder.h"
#include "services/seatlock/rpc/server.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/tokens.h"

namespace seatlock::rpc {
namespace {

using ::seatlock::testing::IsOk;
using ::seatlock::testing::Refusal;
using ::seatlock::testing::TokenKey;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr char kService[] = "seatlock.v1.SeatLockService";
constexpr char kAdminService[] = "seatlock.v1.SeatLockAdminService";

// The contract's table, said a second time: what is not here needs any scope.
const std::map<std::string, std::string>& Needs() {
  static const auto* needs = new std::map<std::string, std::string>{
      {"LockSeat", "lock"},       {"LockSeats", "lock"},      {"UnlockSeat", "lock"},
      {"UnlockSeats", "lock"},    {"ExtendLocks", "lock"},    {"BookSeats", "book"},
      {"CancelBooking", "book"},  {"ListShowtimes", "watch"}, {"WatchShowtime", "watch"},
      {"BlockSeats", "admin"},    {"UnblockSeats", "admin"},  {"ReleaseSeats", "admin"},
      {"CloseShowtime", "admin"}, {"DeleteShowtime", "admin"}};
  return *needs;
}

struct Rpc {
  std::string service;
  std::string name;
  std::string path() const { return absl::StrCat("/", service, "/", name); }
};

// All that the protos have.
std::vector<Rpc> Rpcs() {
  std::vector<Rpc> rpcs;
  for (const auto* service :
       {v1::LockSeatRequest::descriptor()->file()->FindServiceByName("SeatLockService"),
        v1::BlockSeatsRequest::descriptor()->file()->FindServiceByName("SeatLockAdminService")}) {
    for (int i = 0; i < service->method_count(); ++i) {
      rpcs.push_back({service->full_name(), service->method(i)->name()});
    }
  }
  return rpcs;
}

class Reports final : public CallObserver {
 public:
  void OnStarted(Method) override {}
  void OnHandled(Method, int, int64_t) override {}
  bool WantsReport(bool) override { return true; }
  void OnReport(const CallReport& report) override {
    base::MutexLock lock(mu_);
    said_.push_back(absl::StrCat(std::string(MethodName(report.method)), " ",
                                 std::string(report.principal), " ", std::string(report.outcome)));
  }
  std::vector<std::string> said() {
    base::MutexLock lock(mu_);
    return said_;
  }

 private:
  base::Mutex mu_;
  std::vector<std::string> said_ ABSL_GUARDED_BY(mu_);
};

class GuardedTest : public ::testing::Test {
 protected:
  using Headers = std::vector<std::string>;

  void SetUp() override {
    guard::AuthFiles files{.keys = dir_.File("keys"), .jwks = dir_.File("jwks")};
    std::ofstream keys(files.keys);
    for (int bits = 1; bits < 1 << guard::kScopeCount; ++bits) {
      const std::string key = absl::StrCat("key-", bits);
      keys << guard::KeyLine(absl::StrCat("caller-", bits), guard::Sha256(key), ScopesOf(bits))
           << "\n";
    }
    keys.close();
    std::ofstream(files.jwks) << testing::Jwks({signer_});
    auto guard = guard::Authenticator::Open(files, machine_clock_, [](const auto&, const auto&) {});
    ASSERT_THAT(guard, IsOk());
    guard_ = *std::move(guard);
    auto server = Server::Start("127.0.0.1", 0, engine_, clock_, reports_, {}, guard_.get());
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel(absl::StrCat("127.0.0.1:", server_->port()),
                                   grpc::InsecureChannelCredentials());
  }
  void TearDown() override {
    channel_.reset();
    server_.reset();
    engine_.Stop();
  }

  static guard::ScopeSet ScopesOf(int bits) {
    guard::ScopeSet scopes;
    for (int i = 0; i < guard::kScopeCount; ++i) {
      if ((bits >> i & 1) != 0) scopes.Add(static_cast<guard::Scope>(i));
    }
    return scopes;
  }
  // An empty request: who is let in is told that fields are missing, if any are.
  Refusal Ask(const std::string& path, const Headers& authorization) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    for (const std::string& header : authorization) context.AddMetadata("authorization", header);
    const google::protobuf::Empty request;
    google::protobuf::Empty response;
    const grpc::internal::RpcMethod method(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC);
    return testing::DecodeRefusal(
        grpc::internal::BlockingUnaryCall(channel_.get(), method, &context, request, &response));
  }
  Refusal AskToLock(const Headers& authorization) {
    return Ask(absl::StrCat("/", kService, "/LockSeat"), authorization);
  }

  const testing::TempDir dir_;
  const testing::FakeClock machine_clock_;
  const TokenKey signer_ = TokenKey::Es256("k");
  std::unique_ptr<guard::Authenticator> guard_;
  const base::SlewedClock clock_;
  Reports reports_;
  engine::Observer engine_observer_;
  log::MemoryLog log_;
  const ProtoEncoder encoder_;
  base::ThreadExecutor executor_;
  engine::Engine engine_{
      {log_, clock_, encoder_, engine_observer_, executor_, executor_, executor_, {}, [] {
         return std::string("epoch");
       }}};
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(GuardedTest, EveryRpcAsksForItsScopeAndTakesNoOther) {
  const std::vector<Rpc> rpcs = Rpcs();
  EXPECT_EQ(rpcs.size(), static_cast<size_t>(kMethodCount));
  for (const Rpc& rpc : rpcs) {
    const auto need = Needs().find(rpc.name);
    for (int bits = 1; bits < 1 << guard::kScopeCount; ++bits) {
      const guard::ScopeSet scopes = ScopesOf(bits);
      SCOPED_TRACE(absl::StrCat(rpc.name, " with ", scopes.ToString()));
      const Refusal answer = Ask(rpc.path(), {absl::StrCat("Bearer key-", bits)});
      const bool may = need == Needs().end() || absl::StrContains(scopes.ToString(), need->second);
      if (may) {
        EXPECT_TRUE(answer.code == grpc::StatusCode::OK || answer.reason == "INVALID_FIELD")
            << answer.reason << " " << answer.message;
      } else {
        EXPECT_EQ(answer.code, grpc::StatusCode::PERMISSION_DENIED);
        EXPECT_EQ(answer.reason, "SCOPE_MISSING");
        EXPECT_EQ(answer.metadata.at("scope"), need->second);
      }
    }
  }
}

TEST_F(GuardedTest, WithoutAKeyNoRpcAnswers) {
  for (const Rpc& rpc : Rpcs()) {
    SCOPED_TRACE(rpc.name);
    const Refusal missing = Ask(rpc.path(), {});
    EXPECT_EQ(missing.code, grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_EQ(missing.reason, "TOKEN_MISSING");
    EXPECT_EQ(missing.domain, "seatlock");
    const Refusal invalid = Ask(rpc.path(), {"Bearer key-99"});
    EXPECT_EQ(invalid.code, grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_EQ(invalid.reason, "TOKEN_INVALID");
  }
}

TEST_F(GuardedTest, HealthIsFree) {
  EXPECT_EQ(Ask("/grpc.health.v1.Health/Check", {}).code, grpc::StatusCode::OK);
}

TEST_F(GuardedTest, AHeaderThatIsThereTwiceIsRefused) {
  EXPECT_EQ(AskToLock({"Bearer key-1"}).reason, "INVALID_FIELD");
  EXPECT_EQ(AskToLock({"Bearer key-1", "Bearer key-1"}).reason, "TOKEN_INVALID");
  EXPECT_EQ(AskToLock({"Bearer key-1", "Bearer no"}).reason, "TOKEN_INVALID");
}

TEST_F(GuardedTest, ATokensScopesCountAndItsEndDoes) {
  const int64_t now_s = machine_clock_.NowMs() / 1000;
  const auto bearer = [&](const char* scope, int64_t exp) {
    return absl::StrCat("Bearer ", signer_.Sign({{"sub", "me"}, {"scope", scope}, {"exp", exp}}));
  };
  EXPECT_EQ(AskToLock({bearer("openid lock", now_s + 60)}).reason, "INVALID_FIELD");
  EXPECT_EQ(AskToLock({bearer("book", now_s + 60)}).reason, "SCOPE_MISSING");
  EXPECT_EQ(AskToLock({bearer("lock", now_s)}).reason, "TOKEN_EXPIRED");
  const Refusal none = Ask(absl::StrCat("/", kService, "/GetOrder"), {bearer("x", now_s + 60)});
  EXPECT_EQ(none.reason, "SCOPE_MISSING");
  EXPECT_EQ(none.metadata.at("scope"), "any");
}

TEST_F(GuardedTest, RefusalsAndReportsRepeatNoKey) {
  const std::string key = "a-key-that-somebody-mistyped";
  const Refusal refusal = AskToLock({absl::StrCat("Bearer ", key)});
  EXPECT_THAT(refusal.message, Not(HasSubstr(key)));
  AskToLock({"Bearer key-1"});
  EXPECT_THAT(reports_.said(), Contains("LockSeat caller-1 INVALID_FIELD"));
  EXPECT_THAT(reports_.said(), Contains("LockSeat  TOKEN_INVALID"));
  for (const std::string& said : reports_.said()) EXPECT_THAT(said, Not(HasSubstr("key-1")));
}

TEST_F(GuardedTest, TheAdminServiceKnowsWhoCalls) {
  const std::string path = absl::StrCat("/", kAdminService, "/DeleteShowtime");
  EXPECT_EQ(Ask(path, {"Bearer key-8"}).reason, "INVALID_FIELD");
  EXPECT_THAT(reports_.said(), Contains("DeleteShowtime caller-8 INVALID_FIELD"));
}

}  // namespace
}  // namespace seatlock::rpc

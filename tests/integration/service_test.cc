// seatlockd as a program: what it serves beside seats, how it starts, refuses to start, and stops.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <signal.h>
#include <sqlite3.h>

#include <atomic>
#include <set>
#include <thread>

#include "tests/integration/test_server.h"
#include "tests/testing/http_get.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/watch_stream.h"

namespace seatlock::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr std::chrono::milliseconds kSoon{20'000};
constexpr std::chrono::seconds kProbe{3};  // before the idle ones are closed for being idle

class ServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(server_.Start(), IsOk());
    client_ = std::make_unique<SeatLockClient>(server_.address());
  }

  HttpAnswer Admin(const std::string& path) {
    const auto answer = HttpGet(server_.admin_address(), path);
    EXPECT_THAT(answer, IsOk());
    return answer.ok() ? *answer : HttpAnswer{};
  }

  TestServer server_;
  std::unique_ptr<SeatLockClient> client_;
};

TEST_F(ServiceTest, AdminPages) {
  EXPECT_EQ(Admin("/livez").status, 200);
  EXPECT_EQ(Admin("/readyz").status, 200);
  EXPECT_EQ(Admin("/nothing").status, 404);
  const HttpAnswer version = Admin("/version");
  EXPECT_EQ(version.status, 200);
  EXPECT_THAT(version.body, HasSubstr(SEATLOCK_VERSION));
}

TEST_F(ServiceTest, IdleConnectionsKeepNoProbeOut) {
  const IdleConnections idle(server_.admin_address(), 64);
  ASSERT_EQ(idle.answered(), 64);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Admin("/livez").status, 200);
  EXPECT_LT(std::chrono::steady_clock::now() - start, kProbe);
}

TEST_F(ServiceTest, MetricsCountWhatHappenedAndNameNobody) {
  ASSERT_TRUE(client_->Lock("show-metric", "seat-metric", "session-metric").ok());
  ASSERT_FALSE(client_->Lock("show-metric", "seat-metric", "other-session").ok());
  ASSERT_TRUE(client_->Book("show-metric", {"seat-metric"}, "session-metric", "order-metric").ok());
  WatchStream watch(client_->stub(), "show-metric");
  ASSERT_TRUE(watch.Next().has_value());

  const HttpAnswer metrics = Admin("/metrics");

  EXPECT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.headers, HasSubstr("text/plain"));
  for (const char* name :
       {"grpc_server_started_total{", "grpc_server_handled_total{",
        "grpc_server_handling_seconds_bucket{", "grpc_method=\"LockSeat\"",
        "grpc_service=\"seatlock.v1.SeatLockService\"", "grpc_type=\"unary\"",
        "grpc_type=\"server_stream\"", "grpc_code=\"OK\"", "grpc_code=\"FailedPrecondition\"",
        "seatlock_commands_total{command=\"lock\",result=\"ok\"} 1",
        "seatlock_commands_total{command=\"lock\",result=\"seat_taken\"} 1",
        "seatlock_append_records_bucket{", "seatlock_append_seconds_bucket{",
        "seatlock_commit_appends_bucket{", "seatlock_commit_seconds_bucket{",
        "seatlock_live_showtimes 1", "seatlock_watchers 1", "seatlock_watchers_lagged_total 0",
        "seatlock_clock_offset_seconds "}) {
    EXPECT_THAT(metrics.body, HasSubstr(name));
  }
  for (const char* id :
       {"show-metric", "seat-metric", "session-metric", "other-session", "order-metric"}) {
    EXPECT_THAT(metrics.body, Not(HasSubstr(id)));
  }
}

TEST_F(ServiceTest, LogsNoSession) {
  ASSERT_TRUE(client_->Lock("show", "A1", "session-log").ok());
  ASSERT_FALSE(client_->Lock("show", "A1", "other-log").ok());
  ASSERT_EQ(server_.Stop()->code, 0);
  for (const std::string& line : server_.process().StderrLines()) {
    EXPECT_THAT(line, Not(HasSubstr("session-log")));
    EXPECT_THAT(LogField(line, "msg"), Not(IsEmpty())) << line;
  }
}

// grpc.health.v1.Health/Check and reflection, by bytes: their stubs are no part of the build.
class ByBytes {
 public:
  explicit ByBytes(const std::string& address) : channel_(TestChannel(address)) {}

  // The first answer of `method` to `request`; empty where it failed.
  std::string FirstAnswer(const std::string& method, const std::string& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kSoon);
    const std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call =
        stub_.PrepareCall(&context, method, &queue_);
    call->StartCall(nullptr);
    if (!Step()) return "";
    grpc::Slice slice(request);
    call->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
    if (!Step()) return "";
    grpc::ByteBuffer answer;
    call->Read(&answer, nullptr);
    const bool answered = Step();
    call->Finish(&status_, nullptr);
    Step();
    std::vector<grpc::Slice> slices;
    std::string bytes;
    if (answered && answer.Dump(&slices).ok()) {
      for (const grpc::Slice& part : slices) bytes.append(part.begin(), part.end());
    }
    return bytes;
  }
  const grpc::Status& status() const { return status_; }

 private:
  bool Step() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_{channel_};
  grpc::CompletionQueue queue_;
  grpc::Status status_;
};

TEST_F(ServiceTest, HealthSaysServing) {
  const std::string serving("\x08\x01", 2);  // HealthCheckResponse{status: SERVING}
  const std::string name = "seatlock.v1.SeatLockService";
  ByBytes health(server_.address());
  EXPECT_EQ(health.FirstAnswer("/grpc.health.v1.Health/Check", ""), serving);
  EXPECT_EQ(health.FirstAnswer("/grpc.health.v1.Health/Check",
                               "\x0a" + std::string(1, static_cast<char>(name.size())) + name),
            serving);
}

TEST_F(ServiceTest, ReflectionListsTheService) {
  const std::string list_services("\x3a\x01*");  // ServerReflectionRequest{list_services: "*"}
  for (const std::string version : {"v1", "v1alpha"}) {
    const std::string method =
        "/grpc.reflection." + version + ".ServerReflection/ServerReflectionInfo";
    EXPECT_THAT(ByBytes(server_.address()).FirstAnswer(method, list_services),
                AllOf(HasSubstr("seatlock.v1.SeatLockService"), HasSubstr("grpc.health.v1.Health"),
                      HasSubstr("grpc.reflection.v1.ServerReflection"),
                      HasSubstr("grpc.reflection.v1alpha.ServerReflection")))
        << version;
  }
}

TEST_F(ServiceTest, DeadlinesAreHonoured) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(300));
  v1::WatchShowtimeRequest request;
  request.set_showtime_id("show");
  auto reader = client_->stub().WatchShowtime(&context, request);
  v1::WatchShowtimeResponse message;
  while (reader->Read(&message)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);

  SeatLockClient hurried(server_.address(), std::chrono::milliseconds(-1));
  EXPECT_EQ(hurried.Lock("show", "A1", "s1").status.error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(client_->Get("show").response.snapshot().revision(), 0u);
}

// For whoever watches /readyz or gRPC health there is time to send callers elsewhere.
TEST_F(ServiceTest, DuringTheDrainDelayItIsNotReadyAndTakesCalls) {
  const std::string not_serving("\x08\x02", 2);  // HealthCheckResponse{status: NOT_SERVING}
  TestServer leaving({"--drain-delay=10m"}, "memory:");
  ASSERT_THAT(leaving.Start(), IsOk());
  SeatLockClient client(leaving.address());
  EXPECT_EQ(HttpGet(leaving.admin_address(), "/readyz")->status, 200);
  Process& process = leaving.process();
  process.Signal(SIGTERM);
  ASSERT_THAT(process.WaitForText("not ready any more", kStartTimeout), IsOk());
  EXPECT_EQ(HttpGet(leaving.admin_address(), "/readyz")->status, 503);
  EXPECT_EQ(ByBytes(leaving.address()).FirstAnswer("/grpc.health.v1.Health/Check", ""),
            not_serving);
  EXPECT_TRUE(client.Lock("show", "A1", "s1").ok());
  // A signal that comes at once again is the same one; a later one ends the delay.
  do {
    process.Signal(SIGTERM);
  } while (!process.WaitForText("\"draining\"", std::chrono::seconds(2)).ok());
  const auto exit = process.Wait(kStartTimeout);
  ASSERT_THAT(exit, IsOk());
  EXPECT_EQ(*exit, (ProcessExit{.code = 0, .signal = 0}));
}

TEST_F(ServiceTest, SigtermEndsStreamsAndExits0) {
  ASSERT_TRUE(client_->Lock("show", "A1", "s1").ok());
  WatchStream watch(client_->stub(), "show");
  ASSERT_TRUE(watch.Next().has_value());

  const auto exit = server_.Stop();

  ASSERT_THAT(exit, IsOk());
  EXPECT_EQ(*exit, (ProcessExit{.code = 0, .signal = 0}));
  const auto end = watch.WaitForEnd();
  ASSERT_TRUE(end.has_value());
  const Refusal refusal = DecodeRefusal(*end);
  EXPECT_EQ(refusal.code, grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(refusal.reason, "DRAINING");
  EXPECT_NE(refusal.retry_after_ms, std::nullopt);
}

TEST_F(ServiceTest, SigtermLosesNoAnswerThatWasGiven) {
  std::atomic<bool> stop = false;
  std::vector<std::string> locked;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      const std::string seat = "S" + std::to_string(i);
      const auto answer = client_->Lock("show", seat, "s" + seat, {.request_id = seat});
      if (answer.ok()) locked.push_back(seat);
      const Refusal refusal = answer.refusal();
      if (!answer.ok() && refusal.code != grpc::StatusCode::UNAVAILABLE) stop = true;
    }
  });
  SeatLockClient other(server_.address());
  const auto deadline = std::chrono::steady_clock::now() + kSoon;
  while (other.Get("show").response.snapshot().revision() < 50 &&
         std::chrono::steady_clock::now() < deadline) {
  }
  EXPECT_EQ(server_.Stop()->code, 0);
  stop = true;
  writer.join();
  ASSERT_THAT(server_.Start(), IsOk());

  SeatLockClient again(server_.address());
  std::set<std::string> there;
  const v1::ShowtimeSnapshot snapshot = again.Get("show").response.snapshot();
  for (const v1::Seat& seat : snapshot.seats()) there.insert(seat.seat_id());
  EXPECT_GE(locked.size(), 49u);
  for (const std::string& seat : locked) EXPECT_TRUE(there.contains(seat)) << seat;
}

// Programs that only say something and end.
class CommandLineTest : public ::testing::Test {
 protected:
  struct Result {
    int code = -1;
    std::vector<std::string> out;
    std::vector<std::string> err;
  };

  static Result Run(const std::vector<std::string>& args,
                    const std::vector<std::pair<std::string, std::string>>& env = {}) {
    auto process = Process::Start({.binary = SEATLOCKD_BINARY, .args = args, .env = env});
    EXPECT_THAT(process, IsOk());
    const auto exit = (*process)->Wait(kSoon);
    EXPECT_THAT(exit, IsOk());
    return {exit.ok() ? exit->code : -1, (*process)->StdoutLines(), (*process)->StderrLines()};
  }
  static std::string Joined(const std::vector<std::string>& lines) {
    std::string all;
    for (const std::string& line : lines) all += line + "\n";
    return all;
  }
  // Ended with `code`, and one line of stderr says why.
  static void ExpectOneLine(const Result& result, const std::string& about) {
    EXPECT_NE(result.code, 0);
    EXPECT_THAT(Joined(result.err), HasSubstr(about));
    EXPECT_THAT(result.err, SizeIs(1)) << Joined(result.err);
  }
};

TEST_F(CommandLineTest, VersionHelpAndConfig) {
  const Result version = Run({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(Joined(version.out), HasSubstr(std::string("seatlockd ") + SEATLOCK_VERSION));
  const Result help = Run({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const char* flag : {"--listen", "--admin-listen", "--store", "--max-session-seats",
                           "--max-lock-age", "SEATLOCK_ADMIN_LISTEN"}) {
    EXPECT_THAT(Joined(help.out), HasSubstr(flag));
  }
  const Result config = Run({"--print-config"});
  EXPECT_EQ(config.code, 0);
  EXPECT_THAT(Joined(config.out), HasSubstr("127.0.0.1:50051"));
  EXPECT_THAT(Joined(config.out), HasSubstr("127.0.0.1:9101"));
  EXPECT_THAT(Joined(config.out), HasSubstr("sqlite:seatlock.db"));
}

TEST_F(CommandLineTest, AFlagBeatsTheEnvironment) {
  const std::vector<std::pair<std::string, std::string>> env = {
      {"SEATLOCK_LISTEN", "127.0.0.1:1111"}, {"SEATLOCK_ADMIN_LISTEN", "127.0.0.1:2222"}};
  const std::string config = Joined(Run({"--print-config", "--listen=127.0.0.1:3333"}, env).out);
  EXPECT_THAT(config, HasSubstr("127.0.0.1:3333"));
  EXPECT_THAT(config, HasSubstr("127.0.0.1:2222"));
  EXPECT_THAT(config, Not(HasSubstr("127.0.0.1:1111")));
}

TEST_F(CommandLineTest, BadValuesAreOneLineAndExit2) {
  for (const auto& [arg, about] : std::vector<std::pair<std::string, std::string>>{
           {"--listen=nowhere", "listen"},
           {"--listen=127.0.0.1:99999", "listen"},
           {"--admin-listen=", "admin-listen"},
           {"--store=carrier-pigeon:", "store"},
           {"--max-session-seats=many", "max-session-seats"},
           {"--max-lock-age=soon", "max-lock-age"},
           {"--no-such-flag=1", "no-such-flag"}}) {
    SCOPED_TRACE(arg);
    const Result result = Run({arg});
    EXPECT_EQ(result.code, 2);
    ExpectOneLine(result, about);
  }
  const Result result = Run({}, {{"SEATLOCK_LISTEN", "nowhere"}});
  EXPECT_EQ(result.code, 2);
  ExpectOneLine(result, "SEATLOCK_LISTEN");
}

TEST_F(ServiceTest, APortInUseIsOneClearLine) {
  for (const std::string flag : {"--listen=", "--admin-listen="}) {
    const std::string taken = flag == "--listen=" ? server_.address() : server_.admin_address();
    const std::string other = flag == "--listen=" ? "--admin-listen=" : "--listen=";
    auto process =
        Process::Start({.binary = SEATLOCKD_BINARY,
                        .args = {"--store=memory:", flag + taken, other + "127.0.0.1:0"}});
    const auto exit = (*process)->Wait(kSoon);
    ASSERT_THAT(exit, IsOk());
    EXPECT_GT(exit->code, 0);
    int naming = 0;
    for (const std::string& line : (*process)->StderrLines()) {
      if (line.find(taken) != std::string::npos) ++naming;
    }
    EXPECT_EQ(naming, 1);
  }
}

TEST_F(ServiceTest, AStoreInUseIsOneClearLine) {
  auto process = Process::Start({.binary = SEATLOCKD_BINARY,
                                 .args = {"--store=" + server_.store(), "--listen=127.0.0.1:0",
                                          "--admin-listen=127.0.0.1:0"}});
  const auto exit = (*process)->Wait(kSoon);
  ASSERT_THAT(exit, IsOk());
  EXPECT_GT(exit->code, 0);
  int naming = 0;
  for (const std::string& line : (*process)->StderrLines()) {
    if (line.find(server_.file()) != std::string::npos) ++naming;
  }
  EXPECT_EQ(naming, 1);
  EXPECT_TRUE(client_->Lock("show", "A1", "s1").ok());
}

TEST_F(ServiceTest, AKilledServersStoreIsFree) {
  server_.Kill();
  EXPECT_THAT(server_.Start(), IsOk());
}

TEST_F(ServiceTest, ANewerSchemaIsRefused) {
  ASSERT_EQ(server_.Stop()->code, 0);
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(server_.file().c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, "PRAGMA user_version = 1000000", nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(db);

  const absl::Status status = server_.Start();

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(status.message()), HasSubstr("1000000"));
}

}  // namespace
}  // namespace seatlock::testing

// Calls as they are reported for the log, by a real server.
#include "services/seatlock/rpc/call_trace.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/executor.h"
#include "common/base/mutex.h"
#include "common/base/slewed_clock.h"
#include "services/seatlock/log/memory/memory_log.h"
#include "services/seatlock/rpc/proto_encoder.h"
#include "services/seatlock/rpc/server.h"
#include "services/seatlock/rpc/status.h"
#include "tests/testing/eventually.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::rpc {
namespace {

using ::seatlock::testing::Eventually;
using ::seatlock::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kSampled[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr char kNotSampled[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

class Recorder final : public CallObserver {
 public:
  void OnStarted(Method) override {}
  void OnHandled(Method, int, int64_t) override {}
  bool WantsReport(bool sampled) override { return sampled || wants_all; }
  void OnReport(const CallReport& report) override {
    EXPECT_GE(report.us, 0);
    base::MutexLock lock(mu_);
    reports_.push_back(absl::StrCat(
        report.trace ? report.trace->trace_id : "-", " ", std::string(MethodName(report.method)),
        " ", std::string(report.showtime), "/", report.revision, " ", std::string(report.outcome)));
  }
  std::vector<std::string> Take() {
    base::MutexLock lock(mu_);
    return std::exchange(reports_, {});
  }

  bool wants_all = false;  // Set before the calls.

 private:
  base::Mutex mu_;
  std::vector<std::string> reports_ ABSL_GUARDED_BY(mu_);
};

class CallTraceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = Server::Start("127.0.0.1", 0, engine_, clock_, recorder_, {});
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
    client_.emplace(absl::StrCat("127.0.0.1:", server_->port()));
  }
  void TearDown() override {
    client_.reset();
    server_.reset();
    engine_.Stop();
  }

  void Lock(const std::vector<std::string>& traceparents, const std::string& showtime = "s",
            const std::string& session = "alice") {
    grpc::ClientContext context;
    for (const std::string& each : traceparents) context.AddMetadata(base::kTraceparent, each);
    v1::LockSeatResponse response;
    client_->stub().LockSeat(&context, testing::LockSeatRequestOf(showtime, "A1", session),
                             &response);
  }
  std::string Said() {
    std::vector<std::string> reports = recorder_.Take();
    return reports.size() == 1 ? reports[0] : absl::StrCat(reports.size(), " reports");
  }

  const base::SlewedClock clock_;
  Recorder recorder_;
  engine::Observer engine_observer_;
  log::MemoryLog log_;
  const ProtoEncoder encoder_;
  base::ThreadExecutor executor_;
  engine::Engine engine_{
      {log_, clock_, encoder_, engine_observer_, executor_, executor_, executor_, {}, [] {
         return std::string("epoch");
       }}};
  std::unique_ptr<Server> server_;
  std::optional<testing::SeatLockClient> client_;
};

TEST_F(CallTraceTest, ASampledCallIsReportedWithShowtimeAndRevision) {
  Lock({kSampled});
  EXPECT_EQ(Said(), absl::StrCat(kTrace, " LockSeat s/1 OK"));
}

TEST_F(CallTraceTest, ARefusalIsReportedWithItsReason) {
  Lock({kSampled});
  Said();
  Lock({kSampled}, "s", "bob");
  EXPECT_EQ(Said(), absl::StrCat(kTrace, " LockSeat s/0 SEAT_TAKEN"));
}

TEST_F(CallTraceTest, AShowtimeOutOfBoundsIsNotNamed) {
  Lock({kSampled}, std::string(129, 's'));
  EXPECT_EQ(Said(), absl::StrCat(kTrace, " LockSeat /0 INVALID_FIELD"));
}

TEST_F(CallTraceTest, OthersAreNotReported) {
  Lock({});
  Lock({kNotSampled});
  Lock({"00-nonsense"});
  Lock({kSampled, kSampled});  // the standard knows one
  EXPECT_THAT(recorder_.Take(), IsEmpty());
}

TEST_F(CallTraceTest, OthersAreReportedIfTheyAreWanted) {
  recorder_.wants_all = true;
  Lock({});
  EXPECT_EQ(Said(), "- LockSeat s/1 OK");
  Lock({kNotSampled});
  EXPECT_EQ(Said(), absl::StrCat(kTrace, " LockSeat s/1 OK"));
}

TEST_F(CallTraceTest, ReadsAndWatchesAreReportedWithWhatTheyWereSent) {
  Lock({});
  recorder_.wants_all = true;
  client_->Get("s");
  EXPECT_EQ(Said(), "- GetShowtime s/1 OK");
  client_->ListLocks("s", "alice");
  EXPECT_EQ(Said(), "- ListSessionLocks s/1 OK");
  client_->GetOrder("s", "o");
  EXPECT_EQ(Said(), "- GetOrder s/1 OK");
  {
    grpc::ClientContext context;
    v1::WatchShowtimeRequest request;
    request.set_showtime_id("s");
    auto stream = client_->stub().WatchShowtime(&context, request);
    v1::WatchShowtimeResponse response;
    ASSERT_TRUE(stream->Read(&response));
    context.TryCancel();
    stream->Finish();
  }
  std::vector<std::string> reports;
  EXPECT_TRUE(Eventually([&] { return !(reports = recorder_.Take()).empty(); }));
  EXPECT_THAT(reports, ElementsAre("- WatchShowtime s/1 CANCELLED"));
}

}  // namespace
}  // namespace seatlock::rpc

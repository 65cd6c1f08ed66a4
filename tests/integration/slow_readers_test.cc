// Readers that do not read: what they make the server hold is bounded, and what ends them says so.
#include <gmock/gmock.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/test_server.h"
#include "tests/testing/http_get.h"
#include "tests/testing/rounds.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

constexpr int kSeatsPerCall = 100;
// What the server may hold beside what it held before: its bound for slow readers is 256 MiB.
// A sanitizer's build keeps shadows of memory and holds back what was freed.
#if defined(SEATLOCK_SANITIZED)
constexpr int64_t kGrowthMibMax = 2400;
#else
constexpr int64_t kGrowthMibMax = 600;
#endif

// 40 bytes, the longest that a seat id may be.
std::string SeatOf(int number) {
  return absl::StrCat("a-seat-with-the-longest-id-", absl::Dec(number, absl::kZeroPad13));
}

int64_t MiB(const std::string& field, pid_t pid) {
  std::ifstream status(absl::StrCat("/proc/", pid, "/status"));
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with(field)) return std::stol(line.substr(field.size() + 1)) / 1024;
  }
  return 0;
}

// A stream that is opened and not read.
struct Unread {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<v1::WatchShowtimeResponse>> reader;

  Unread(v1::SeatLockService::Stub& stub, const std::string& showtime,
         const std::optional<v1::Position>& resume = std::nullopt) {
    v1::WatchShowtimeRequest request;
    request.set_showtime_id(showtime);
    if (resume) *request.mutable_resume() = *resume;
    reader = stub.WatchShowtime(&context, request);
  }
  // Reads what is left, and says how it ended.
  grpc::Status ReadToTheEnd() {
    v1::WatchShowtimeResponse response;
    while (reader->Read(&response)) {
    }
    return reader->Finish();
  }
};

class SlowReadersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(server_.Start(), IsOk());
    client_ = std::make_unique<SeatLockClient>(server_.address());
    // Without probes for more the client's library takes 64 KiB of a stream that nobody reads.
    grpc::ChannelArguments args;
    args.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    args.SetMaxReceiveMessageSize(-1);
    stub_ = v1::SeatLockService::NewStub(TestChannel(server_.address(), args));
  }

  static std::vector<std::string> Seats(int first, int count) {
    std::vector<std::string> seats;
    for (int i = first; i < first + count; ++i) seats.push_back(SeatOf(i));
    return seats;
  }
  void Book(int first) {
    const std::string order = absl::StrCat("an-order-with-a-long-identifier-", first);
    ASSERT_TRUE(client_->Book("hall", Seats(first, kSeatsPerCall), "buyer", order).ok());
  }
  pid_t pid() { return server_.process().pid(); }

  TestServer server_{{"--max-session-seats=10000"}};
  std::unique_ptr<SeatLockClient> client_;
  std::unique_ptr<v1::SeatLockService::Stub> stub_;
};

TEST_F(SlowReadersTest, FiveHundredOfALargeShowtimeHoldLittleMoreThanOne) {
  // 100,000 seats of 100 bytes: one snapshot is 10 MB, and 500 of them would be 5 GB.
  for (int first = 0; first < 100'000; first += kSeatsPerCall) Book(first);
  Unread one(*stub_, "hall");
  const int64_t before = MiB("VmRSS:", pid());
  std::vector<std::unique_ptr<Unread>> watchers;
  for (int i = 0; i < Rounds(500); ++i) {
    watchers.push_back(std::make_unique<Unread>(*stub_, "hall"));
    ASSERT_TRUE(client_->Lock("hall", absl::StrCat("free-", i), "alice").ok());
  }
  const int64_t growth = MiB("VmHWM:", pid()) - before;
  RecordProperty("growth_mib", std::to_string(growth));
  EXPECT_LT(growth, kGrowthMibMax);
  for (const auto& watcher : watchers) watcher->context.TryCancel();
  one.context.TryCancel();
}

// The service's own counter, from its metrics.
int Shed(const TestServer& server) {
  const auto metrics = HttpGet(server.admin_address(), "/metrics");
  if (!metrics.ok()) return -1;
  const std::string name = "\nseatlock_readers_shed_total ";
  const size_t at = metrics->body.find(name);
  return at == std::string::npos ? -1 : std::stoi(metrics->body.substr(at + name.size()));
}

TEST_F(SlowReadersTest, TheSlowestEndWithUnavailableOnceTheirMemoryIsUsedUp) {
  constexpr int kSeats = 10'000;
  constexpr int kCyclesMax = 300;
  // No session may lock more than 1,000 seats that the showtime never saw.
  for (int first = 0; first < kSeats; first += 1000) {
    const std::string opener = absl::StrCat("opener-", first);
    for (int at = first; at < first + 1000; at += kSeatsPerCall) {
      ASSERT_TRUE(client_->LockMany("hall", Seats(at, kSeatsPerCall), opener).ok());
    }
    ASSERT_TRUE(client_->UnlockMany("hall", {}, opener).ok());
  }
  // Each cycle makes changes of some 3 MB that only the watcher of that cycle still needs.
  const std::string holder(128, 's');
  const int64_t before = MiB("VmRSS:", pid());
  v1::Position position;
  position.set_epoch(client_->Get("hall").response.snapshot().epoch());
  std::vector<std::unique_ptr<Unread>> watchers;
  for (int cycle = 0; cycle < kCyclesMax && Shed(server_) == 0; ++cycle) {
    for (int at = 0; at < kSeats; at += kSeatsPerCall) {
      const auto locked = client_->LockMany("hall", Seats(at, kSeatsPerCall), holder);
      ASSERT_TRUE(locked.ok()) << locked.status.error_message();
      position.set_revision(locked.response.revision());
    }
    watchers.push_back(std::make_unique<Unread>(*stub_, "hall", position));
    ASSERT_TRUE(client_->UnlockMany("hall", {}, holder).ok());
  }
  ASSERT_GT(Shed(server_), 0) << "nobody was ended";
  EXPECT_LT(MiB("VmHWM:", pid()) - before, kGrowthMibMax);
  const grpc::Status end = watchers.front()->ReadToTheEnd();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::UNAVAILABLE) << end.error_message();
  for (const auto& watcher : watchers) watcher->context.TryCancel();
  EXPECT_TRUE(client_->Lock("hall", SeatOf(0), "alice").ok()) << "and all else goes on";
}

}  // namespace
}  // namespace seatlock::testing

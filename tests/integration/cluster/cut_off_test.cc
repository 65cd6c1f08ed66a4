// A server that is cut off from Redis while others go on, under load; all real processes. It
// acknowledges nothing and reads nothing out, refuses in time, says that it is not ready, ends its
// watches, and recovers. Callers and pages with a list of servers notice nothing. Judged by the
// final log.
#include <gmock/gmock.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <random>
#include <set>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/rendezvous.h"
#include "tests/integration/cluster/client_load.h"
#include "tests/integration/cluster/cut_link.h"
#include "tests/integration/cluster/final_log.h"
#include "tests/integration/cluster/followers.h"
#include "tests/integration/cluster/looks.h"
#include "tests/integration/cluster/server_group.h"
#include "tests/testing/redis_server.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Steady = std::chrono::steady_clock;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kOthers = 2;
constexpr int kCallers = 4;
constexpr int kAcks = 60;
// A server that is cut off answers within 2.5 s (docs/operating.md): callers wait longer than that
// on a busy machine.
constexpr seconds kPatience{10};
constexpr milliseconds kPromise{2'500};
constexpr milliseconds kSlack{5'000};

MATCHER(NoneTwice, "") {
  return std::set<std::string>(arg.begin(), arg.end()).size() == arg.size();
}

// Asks one server for all kinds of things, each call once and on a thread of its own, and expects
// no answer that tells of seats.
class Prober {
 public:
  explicit Prober(const std::string& address) : client_(address, kPatience) {}

  // A lock that was asked for may land later.
  const std::vector<Operation>& operations() const { return operations_; }

  // Each is refused, in time. `outcome`: what a lock is told of itself, if that is known.
  void ExpectAllRefused(const std::string& outcome = "") {
    const std::string showtime = ShowtimeOf(0);
    const std::string session = absl::StrCat("probe", ++rounds_);
    const auto asked = Steady::now();
    std::thread lock([&] {
      const Refusal refusal = client_.Lock(showtime, "P1", session, {.ttl_ms = 1'000}).refusal();
      EXPECT_EQ(refusal.code, grpc::StatusCode::UNAVAILABLE) << refusal.message;
      if (!outcome.empty()) {
        EXPECT_EQ(refusal.reason, "STORE_UNAVAILABLE") << refusal.message;
        EXPECT_EQ(refusal.metadata.at("outcome"), outcome);
      }
    });
    std::thread get([&] { ExpectRefused(client_.Get(showtime).refusal()); });
    std::thread order([&] { ExpectRefused(client_.GetOrder(showtime, "o0-1").refusal()); });
    std::thread locks([&] { ExpectRefused(client_.ListLocks(showtime, "s0-1").refusal()); });
    std::thread unlock([&] { ExpectRefused(client_.Unlock(showtime, "none", session).refusal()); });
    for (std::thread* each : {&lock, &get, &order, &locks, &unlock}) each->join();
    EXPECT_LE(Steady::now() - asked, kPromise + kSlack);
    operations_.push_back({.kind = Operation::Kind::kLock,
                           .outcome = Operation::Outcome::kUnknown,
                           .showtime = showtime,
                           .seat = "P1",
                           .session = session,
                           .times = {asked, asked, Steady::now()}});
  }

 private:
  static void ExpectRefused(const Refusal& refusal) {
    EXPECT_EQ(refusal.code, grpc::StatusCode::UNAVAILABLE) << refusal.message;
    EXPECT_EQ(refusal.reason, "STORE_UNAVAILABLE") << refusal.message;
  }

  SeatLockClient client_;
  int rounds_ = 0;
  std::vector<Operation> operations_;
};

class CutOffTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::cout << "seed " << seed_ << "\n";
    ASSERT_NO_FATAL_FAILURE(InitStore(store_));
    ASSERT_NO_FATAL_FAILURE(others_.Start());
    ASSERT_NO_FATAL_FAILURE(StartServer());
    for (size_t i = 0; i < kOthers; ++i) ASSERT_TRUE(BecomesReady(others_[i].admin_address()));
  }

  // On a port with which it is preferred by some of the showtimes, so that there is something to
  // cut off. One in five has none.
  void StartServer() {
    do {
      server_ = std::make_unique<TestServer>(std::vector<std::string>(),
                                             absl::StrCat("redis://127.0.0.1:", link_.port()));
      ASSERT_THAT(server_->Start(), IsOk());
      ASSERT_TRUE(BecomesReady(server_->admin_address()));
      all_ = others_.addresses();
      all_.push_back(server_->address());
    } while (!IsPreferred());
  }
  bool IsPreferred() const {
    for (int i = 0; i < kShowtimes; ++i) {
      if (base::RankServers(all_, ShowtimeOf(i))[0] == all_.size() - 1) return true;
    }
    return false;
  }

  void StartLoad() {
    ProgramOptions options;
    options.binary = EDGE_BINARY;
    options.upstream = absl::StrJoin(all_, ",");
    auto edge = StartEdge(options);
    ASSERT_THAT(edge, IsOk());
    edge_ = *std::move(edge);
    load_ = std::make_unique<ClientLoad>(client::ClientOptions{.servers = all_}, kCallers, seed_);
    for (int i = 0; i < kShowtimes; ++i) {
      watches_.push_back(std::make_unique<ClientFollower>(load_->client(), ShowtimeOf(i)));
      pages_.Add(ShowtimeOf(i), {edge_->address()});
    }
    ASSERT_TRUE(pages_.AllOpened());
  }
  void LetThemSell() {
    load_->progress().Restarted();
    ASSERT_TRUE(load_->progress().WaitForAcks(kAcks));
  }
  // Whether the edge follows nothing on the server any more, and says why.
  bool TheEdgeHasLeft() {
    return Eventually([this] {
      return absl::StrContains(PageOf(edge_->admin_address(), "/readyz").body,
                               absl::StrCat(server_->address(), ": not serving, 0 streams\n"));
    });
  }

  // Why the store is not served, as the log has it.
  std::vector<std::string> ReasonsSaid() {
    std::vector<std::string> reasons;
    for (const std::string& line : server_->process().StderrLines()) {
      const std::string reason = LogField(line, "reason");
      if (!reason.empty()) reasons.push_back(reason);
    }
    return reasons;
  }

  // From when the link does nothing any more: everything that the server is asked.
  void ExpectItToServeNothing(Prober& prober, WatchStream& watch) {
    prober.ExpectAllRefused();
    EXPECT_TRUE(BecomesReady(server_->admin_address(), 503));
    prober.ExpectAllRefused("none");
    const auto end = watch.WaitForEnd(kPatience);
    ASSERT_TRUE(end.has_value());
    EXPECT_EQ(DecodeRefusal(*end).reason, "STORE_UNAVAILABLE") << end->error_message();
    EXPECT_TRUE(TheEdgeHasLeft());
    for (size_t i = 0; i < kOthers; ++i) {
      EXPECT_EQ(PageOf(others_[i].admin_address(), "/readyz").status, 200);
    }
    ASSERT_NO_FATAL_FAILURE(LetThemSell());
    EXPECT_THAT(ReasonsSaid(), AllOf(Not(IsEmpty()), Each(HasSubstr("redis")), NoneTwice()));
  }

  void StopAndJudge(const Prober& prober) {
    load_->Stop();
    EXPECT_THAT(load_->Failures(), IsEmpty());
    std::vector<Operation> operations = load_->Operations();
    operations.insert(operations.end(), prober.operations().begin(), prober.operations().end());
    for (int i = 0; i < kShowtimes; ++i) {
      SCOPED_TRACE(ShowtimeOf(i));
      const std::vector<v1::Change> log = FinalLog(ShowtimeOf(i), server_->address());
      EXPECT_THAT(CheckHistory(ShowtimeOf(i), log, operations), IsOk());
      EXPECT_THAT(CheckRefusals(ShowtimeOf(i), log, operations), IsOk());
      watches_[static_cast<size_t>(i)]->Judge(log);
      pages_.Judge(ShowtimeOf(i), log);
    }
    std::cout << operations.size() << " calls, the longest " << load_->Longest().count() << " ms\n";
  }

  const uint64_t seed_ = std::random_device()();
  RedisServer redis_;
  CutLink link_{redis_.port()};
  const std::string store_ = absl::StrCat("redis://127.0.0.1:", redis_.port());
  std::unique_ptr<TestServer> server_;  // behind the link
  ServerGroup others_{kOthers, store_};
  std::vector<std::string> all_;
  std::unique_ptr<Program> edge_;
  std::unique_ptr<ClientLoad> load_;
  std::vector<std::unique_ptr<ClientFollower>> watches_;
  Pages pages_;
};

enum class Fault { kStalled, kBroken };

class CutOffTests : public CutOffTest, public ::testing::WithParamInterface<Fault> {};

TEST_P(CutOffTests, ItServesNothingUntilTheLinkIsBackAndNobodyWithAListNotices) {
  ASSERT_NO_FATAL_FAILURE(StartLoad());
  SeatLockClient direct(server_->address());
  WatchStream watch(direct.stub(), ShowtimeOf(0));
  ASSERT_TRUE(watch.Next().has_value());
  ASSERT_NO_FATAL_FAILURE(LetThemSell());

  Prober prober(server_->address());
  GetParam() == Fault::kStalled ? link_.Stall() : link_.Cut();
  ASSERT_NO_FATAL_FAILURE(ExpectItToServeNothing(prober, watch));
  link_.Open();
  EXPECT_TRUE(BecomesReady(server_->admin_address()));
  EXPECT_TRUE(Eventually(
      [this] { return LinesWith(server_->process(), "the store is served again") == 1; }));
  // Counter-check: what was refused is answered now.
  EXPECT_TRUE(direct.Get(ShowtimeOf(0)).ok());
  EXPECT_TRUE(direct.GetOrder(ShowtimeOf(0), "o0-1").ok());
  EXPECT_TRUE(direct.ListLocks(ShowtimeOf(0), "s0-1").ok());
  EXPECT_TRUE(direct.Lock("another", "A1", "s1").ok());
  ASSERT_NO_FATAL_FAILURE(LetThemSell());
  StopAndJudge(prober);
}

INSTANTIATE_TEST_SUITE_P(Links, CutOffTests, ::testing::Values(Fault::kStalled, Fault::kBroken),
                         [](const auto& fault) {
                           return fault.param == Fault::kStalled ? "Stalled" : "Broken";
                         });

TEST_F(CutOffTest, ARedisThatStandsStillIsServedByNobodyAndThenByAllAsItWas) {
  SeatLockClient direct(server_->address());
  ASSERT_TRUE(direct.Book("show-0", {"B1"}, "alice", "o0-1").ok());
  const auto held = direct.Lock("show-0", "A1", "alice");
  ASSERT_TRUE(held.ok());
  redis_.Pause();
  std::vector<std::thread> askers;
  for (const std::string& address : all_) {
    askers.emplace_back([address] {
      Prober prober(address);
      prober.ExpectAllRefused();
      prober.ExpectAllRefused();
    });
  }
  for (std::thread& asker : askers) asker.join();
  EXPECT_TRUE(BecomesReady(server_->admin_address(), 503));
  redis_.Continue();
  for (const std::string& address : all_) {
    SeatLockClient client(address);
    EXPECT_TRUE(Eventually([&] { return client.Get("show-0").ok(); }));
    EXPECT_EQ(client.Lock("show-0", "B1", "bob").refusal().reason, "SEAT_TAKEN");
    const auto locks = client.ListLocks("show-0", "alice");
    ASSERT_EQ(locks.response.locks_size(), 1);
    EXPECT_EQ(locks.response.locks(0).fence(), held.response.lock().fence());
  }
}

}  // namespace
}  // namespace seatlock::testing

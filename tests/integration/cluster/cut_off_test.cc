// A server that is cut off from Redis while others go on, under load; all real processes. It
// acknowledges nothing and reads nothing out, refuses in time, says that it is not ready, ends its
// watches, and recovers. Callers and pages with a list of servers notice nothing. Judged by the
// final log.
#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <set>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/rendezvous.h"
#include "tests/integration/cluster/server_group.h"
#include "tests/integration/cluster/site.h"
#include "tests/integration/looks.h"
#include "tests/integration/start_edge.h"
#include "tests/testing/redis_server.h"
#include "tests/testing/seed.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tcp_link.h"

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
  const std::vector<Call>& calls() const { return calls_; }

  // Each is refused, in time. `outcome`: what a lock is told of itself, if that is known.
  void ExpectAllRefused(const std::string& outcome = "") {
    const std::string showtime = ShowtimeOf(0);
    const std::string session = absl::StrCat("probe", ++rounds_);
    const v1::LockSeatRequest request =
        LockSeatRequestOf(showtime, "P1", session, {.ttl_ms = 1'000});
    const auto asked = Steady::now();
    const int64_t asked_ms = WallClockMs();
    std::thread lock([&] {
      const Refusal refusal = client_.Call(&SeatLockClient::Stub::LockSeat, request).refusal();
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
    calls_.push_back({.showtime = showtime,
                      .question = CommandOf(request),
                      .times = {.first_asked = asked,
                                .last_asked = asked,
                                .answered = Steady::now(),
                                .last_asked_ms = asked_ms,
                                .answered_ms = WallClockMs()}});
  }

 private:
  static void ExpectRefused(const Refusal& refusal) {
    EXPECT_EQ(refusal.code, grpc::StatusCode::UNAVAILABLE) << refusal.message;
    EXPECT_EQ(refusal.reason, "STORE_UNAVAILABLE") << refusal.message;
  }

  SeatLockClient client_;
  int rounds_ = 0;
  std::vector<Call> calls_;
};

class CutOffTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(InitStore(store_));
    ASSERT_NO_FATAL_FAILURE(others_.Start());
    ASSERT_NO_FATAL_FAILURE(StartServer());
  }

  // On a port with which it is preferred by some of the showtimes, so that there is something to
  // cut off. One in five has none.
  void StartServer() {
    do {
      server_ = std::make_unique<TestServer>(std::vector<std::string>(),
                                             absl::StrCat("redis://127.0.0.1:", link_.port()));
      ASSERT_THAT(server_->Start(), IsOk());
      ASSERT_TRUE(BecomesReady(*server_));
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
    ASSERT_NO_FATAL_FAILURE(StartEdgeOn(absl::StrJoin(all_, ","), edge_));
    site_ =
        std::make_unique<Site>(all_, std::vector<std::vector<std::string>>{{edge_->address()}},
                               Site::Options{.callers = kCallers, .acks = kAcks, .seed = seed_});
    ASSERT_TRUE(site_->pages().AllOpened());
  }
  // Whether the edge follows nothing on the server any more, and says why.
  bool TheEdgeHasLeft() {
    return Eventually([this] {
      return absl::StrContains(PageOf(*edge_, "/readyz").body,
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
    EXPECT_TRUE(BecomesReady(*server_, 503));
    prober.ExpectAllRefused("none");
    const auto end = watch.WaitForEnd(kPatience);
    ASSERT_TRUE(end.has_value());
    EXPECT_EQ(DecodeRefusal(*end).reason, "STORE_UNAVAILABLE") << end->error_message();
    EXPECT_TRUE(TheEdgeHasLeft());
    for (size_t i = 0; i < kOthers; ++i) {
      EXPECT_EQ(PageOf(others_[i], "/readyz").status, 200);
    }
    ASSERT_NO_FATAL_FAILURE(site_->LetThemSell());
    EXPECT_THAT(ReasonsSaid(), AllOf(Not(IsEmpty()), Each(HasSubstr("redis")), NoneTwice()));
  }

  const uint64_t seed_ = TestSeed();
  RedisServer redis_;
  TcpLink link_{redis_.port()};
  const std::string store_ = UrlOf(redis_);
  std::unique_ptr<TestServer> server_;  // behind the link
  ServerGroup others_{kOthers, store_};
  std::vector<std::string> all_;
  std::unique_ptr<Program> edge_;
  std::unique_ptr<Site> site_;
};

enum class Fault { kStalled, kBroken };

class CutOffTests : public CutOffTest, public ::testing::WithParamInterface<Fault> {};

TEST_P(CutOffTests, ItServesNothingUntilTheLinkIsBackAndNobodyWithAListNotices) {
  ASSERT_NO_FATAL_FAILURE(StartLoad());
  SeatLockClient direct(server_->address());
  WatchStream watch(direct.stub(), ShowtimeOf(0));
  ASSERT_TRUE(watch.Next().has_value());
  ASSERT_NO_FATAL_FAILURE(site_->LetThemSell());

  Prober prober(server_->address());
  GetParam() == Fault::kStalled ? link_.Stall() : link_.Cut();
  ASSERT_NO_FATAL_FAILURE(ExpectItToServeNothing(prober, watch));
  link_.Open();
  EXPECT_TRUE(BecomesReady(*server_));
  EXPECT_TRUE(Eventually([this] { return LinesWith(*server_, "the store is served again") == 1; }));
  // Counter-check: what was refused is answered now.
  EXPECT_TRUE(direct.Get(ShowtimeOf(0)).ok());
  EXPECT_TRUE(direct.GetOrder(ShowtimeOf(0), "o0-1").ok());
  EXPECT_TRUE(direct.ListLocks(ShowtimeOf(0), "s0-1").ok());
  EXPECT_TRUE(direct.Lock("another", "A1", "s1").ok());
  ASSERT_NO_FATAL_FAILURE(site_->LetThemSell());
  site_->StopAndJudge(server_->address(), prober.calls());
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
  EXPECT_TRUE(BecomesReady(*server_, 503));
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

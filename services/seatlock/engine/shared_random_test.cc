// Two servers on one store, to which everything happens that can: whatever they say, the judge must
// find it right. And the controls: a store that takes one safeguard away, and the judge notices.
//
// A failure prints its seed: run it again with SEATLOCK_SEED=n.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "services/seatlock/engine/engine.h"
#include "services/seatlock/engine/limits.h"
#include "services/seatlock/engine/shared_judge.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/manual_executor.h"
#include "tests/testing/rounds.h"
#include "tests/testing/shared_log.h"

namespace seatlock::engine {
namespace {

using testing::SharedLog;

constexpr domain::Rules kRules{.max_session_seats = 3, .max_lock_age_ms = 7'200'000};
constexpr int kSteps = 120;
constexpr int kWatches = 2;  // a server

class World {
 public:
  World(uint64_t seed, const std::vector<SharedLog::Lies>& lies) : random_(seed) {
    judge_.SeeTime(clock_.NowMs());
    store_.OnDurable([this](const domain::ShowtimeId& showtime) {
      judge_.SeeDurable(store_.Durable(showtime), store_.generation());
    });
    for (const SharedLog::Lies& each : lies) {
      servers_.push_back(std::make_unique<Server>(*this, each));
      for (int i = 0; i < kWatches; ++i) watches_.push_back({servers_.back().get(), &judge_});
    }
    for (Watch& watch : watches_) Start(watch);
  }

  ~World() {
    LetAllHappen();
    for (auto& server : servers_) server->engine.reset();
    Settle();
  }

  // What was wrong; empty: nothing.
  std::string Run() {
    for (int i = 0; i < kSteps && judge_.fault().empty(); ++i) Step();
    LetAllHappen();
    for (int i = 0; i < 260; ++i) Pass(50);  // longer than progress takes
    for (const Watch& watch : watches_) Compare(watch.view);
    if (waiting_ > 0) judge_.Blame("somebody was never answered");
    return judge_.fault();
  }

  const std::map<std::string, int>& counts() const { return judge_.counts(); }

 private:
  struct Server {
    Server(World& world, SharedLog::Lies lies) : log(world.store_, lies) {
      engine.emplace(Engine::Options{log, world.clock_, world.encoder_, world.observer_, executor,
                                     executor, executor, kRules,
                                     [&world] { return absl::StrCat("epoch", ++world.epochs_); }});
    }
    SharedLog log;
    testing::ManualExecutor executor;
    std::optional<Engine> engine;
  };
  struct Watch {
    Watch(Server* on, SharedJudge* judge) : server(on), view(*judge) {}
    Server* server;
    WatchedView view;
    std::shared_ptr<Watcher> watcher = nullptr;
    bool over = false;
  };

  size_t Below(size_t bound) {
    return std::uniform_int_distribution<size_t>(0, bound - 1)(random_);
  }
  Server& AnyServer() { return *servers_[Below(servers_.size())]; }

  void Start(Watch& watch) {
    watch.over = false;
    watch.watcher = watch.server->engine->Watch(showtime_, watch.view.position(),
                                                [this, &watch] { Take(watch); });
    Take(watch);
  }

  void Take(Watch& watch) {
    while (watch.watcher != nullptr && !watch.over) {
      Watcher::Item item = watch.watcher->Next();
      if (std::holds_alternative<Watcher::Nothing>(item)) return;
      if (auto* message = std::get_if<MessagePtr>(&item)) {
        std::string text;
        for (const Bytes& part : (*message)->parts) text += *part;
        watch.view.See(text);
      } else {
        watch.over = true;
      }
    }
  }

  void Settle() {
    for (int i = 0; i < 8; ++i) {
      for (auto& server : servers_) server->executor.RunAll();
    }
  }

  void Pass(int64_t ms) {
    clock_.AdvanceMs(ms);
    judge_.SeeTime(clock_.NowMs());
    for (auto& server : servers_) server->engine->Tick();
    Settle();
    for (Watch& watch : watches_) {
      if (watch.over) Start(watch);
    }
    Settle();
  }

  void LetAllHappen() {
    store_.SetShortOfRoom(false);
    store_.BecomeDurable();
    for (auto& server : servers_) {
      server->log.SetFault(SharedLog::Fault::kNone);
      server->log.SetDown(false);
      server->log.Continue();
    }
    Settle();
  }

  domain::Command AnyCommand() {
    if (!asked_.empty() && Below(6) == 0) return asked_[Below(asked_.size())];
    const domain::SessionId session(absl::StrCat("s", Below(3)));
    const domain::OrderId order(absl::StrCat("o", Below(3)));
    std::vector<domain::SeatId> seats{domain::SeatId(absl::StrCat("A", Below(4)))};
    if (Below(3) == 0) seats.emplace_back(absl::StrCat("B", Below(2)));
    domain::Command command;
    command.request_id = domain::RequestId(absl::StrCat("r", asked_.size()));
    switch (Below(8)) {
      case 0:
        command.body = domain::UnlockSeats{session, seats, false};
        break;
      case 1:
        command.body = domain::ExtendLocks{session, seats, false, 5'000};
        break;
      case 2:
        command.body = domain::BookSeats{.session = session, .order = order, .seats = seats};
        break;
      case 3:
        command.body = domain::CancelBooking{.order = order, .all = true};
        break;
      default:
        command.body =
            domain::LockSeats{.session = session, .seats = seats, .ttl_ms = 1'000 * (1 + Below(4))};
    }
    asked_.push_back(command);
    return command;
  }

  void Ask() {
    Server& server = AnyServer();
    Work work;
    work.command = AnyCommand();
    ++waiting_;
    work.done = [this, question = judge_.Ask(work.command)](const Result& result) {
      --waiting_;
      judge_.SeeResult(question, result);
    };
    server.engine->Submit(showtime_, std::move(work));
  }

  void Read() {
    ++waiting_;
    const auto question = judge_.Ask({});
    Query query;
    query.read = [this, question](const View& view) -> base::Task {
      Taken taken;
      for (const domain::SeatView& seat : view.state.TakenFrom(domain::SeatId(), SIZE_MAX)) {
        taken[seat.seat.value()] = {seat.status, seat.session.value()};
      }
      return [this, question, taken = std::move(taken), revision = view.state.revision()] {
        --waiting_;
        judge_.SeeRead(question, revision, taken);
      };
    };
    query.fail = [this](const Failure&) { --waiting_; };
    AnyServer().engine->Read(showtime_, std::move(query));
  }

  void Step() {
    switch (Below(24)) {
      case 0:
      case 1:
        return Pass(static_cast<int64_t>(1 + Below(1'500)));
      case 2:
      case 3:
        return Settle();
      case 4:
        return AnyServer().executor.RunAll();
      case 5:
      case 6:
        return Read();
      case 7:
        return HarmServer(AnyServer());
      case 8:
        return HarmStore();
      case 9: {
        Server& server = AnyServer();
        server.log.SetDown(false);
        return server.log.Continue();
      }
      case 10: {
        Server& server = AnyServer();
        if (server.log.held() > 0) server.log.ReleaseOne();
        return;
      }
      case 11:
        return Pass(static_cast<int64_t>(kResendMs));
      default:
        return Ask();
    }
  }

  void HarmServer(Server& server) {
    using Fault = SharedLog::Fault;
    using Hints = SharedLog::Hints;
    constexpr Fault kFaults[] = {Fault::kNotAppended,   Fault::kQueueFull,   Fault::kUnknownLanded,
                                 Fault::kUnknownLanded, Fault::kUnknownLost, Fault::kUnknownLate};
    constexpr Hints kHints[] = {Hints::kPrompt, Hints::kDoubled, Hints::kHeld, Hints::kLost};
    switch (Below(6)) {
      case 0:
        return server.log.Pause();
      case 1:
        return server.log.HoldAnswers();
      case 2:
        return server.log.SetHints(kHints[Below(std::size(kHints))]);
      case 3:
        return server.log.SetDown(true);
      default:
        return server.log.FaultNext(kFaults[Below(std::size(kFaults))]);
    }
  }

  void HarmStore() {
    const uint64_t head = store_.head(showtime_).revision.value();
    switch (Below(8)) {
      case 0:
        if (durability_held_) return;
        return store_.Rewind({{showtime_, domain::Revision(Below(head + 1))}});
      case 1:
        if (durability_held_) return;
        return store_.ChangeGeneration();
      case 2:
      case 3:
        durability_held_ = true;
        return store_.HoldDurability();
      case 4:
        durability_held_ = false;
        return store_.BecomeDurable();
      case 5:
        if (!std::exchange(durability_held_, false)) return;
        return store_.LoseUndurable();
      case 6:
        return store_.SetShortOfRoom(Below(2) == 0);
      default:
        store_.LandLate();
    }
  }

  void Compare(const WatchedView& view) {
    if (view.revision() != judge_.revision() || view.taken() != judge_.taken()) {
      judge_.Blame(absl::StrCat("a watcher ended at ", view.revision().value(), ", the log at ",
                                judge_.revision().value()));
    }
    const log::Head head = store_.head(showtime_);
    if (head.revision.value() > 0 &&
        view.epoch() != absl::StrCat(head.epoch.value(), "-", store_.generation())) {
      judge_.Blame("a watcher ended with the position of another history");
    }
  }

  const domain::ShowtimeId showtime_{"123"};
  std::mt19937_64 random_;
  testing::FakeClock clock_;
  SharedJudge judge_{kRules};
  JudgeEncoder encoder_;
  Observer observer_;
  testing::SharedStore store_;
  int epochs_ = 0;
  bool durability_held_ = false;
  int waiting_ = 0;
  std::vector<domain::Command> asked_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::vector<Watch> watches_;
};

// The seeds to run: one if it is named.
std::vector<uint64_t> Seeds(int count) {
  uint64_t seed = 0;
  const char* named = std::getenv("SEATLOCK_SEED");
  if (named != nullptr && absl::SimpleAtoi(named, &seed)) return {seed};
  std::vector<uint64_t> seeds;
  for (int i = 1; i <= testing::Rounds(count); ++i) seeds.push_back(static_cast<uint64_t>(i));
  return seeds;
}

TEST(SharedRandomTest, WhateverHappensNothingWrongIsSaid) {
  std::map<std::string, int> counts;
  for (const uint64_t seed : Seeds(1'000)) {
    World world(seed, {{}, {}});
    ASSERT_EQ(world.Run(), "") << "run again with SEATLOCK_SEED=" << seed;
    for (const auto& [what, count] : world.counts()) counts[what] += count;
  }
  if (std::getenv("SEATLOCK_SEED") != nullptr) return;
  // What never came up proves nothing.
  for (const char* what : {"changes", "rewinds", "answers", "no-ops", "refusals", "unknown",
                           "failures", "reads", "changes shown", "snapshots shown"}) {
    EXPECT_GT(counts[what], 20) << what;
  }
}

// How many of the first seeds the judge finds a fault in, if the servers' store is `lies`.
int Found(SharedLog::Lies lies) {
  int found = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    World world(seed, {lies, lies});
    found += world.Run().empty() ? 0 : 1;
  }
  return found;
}

TEST(SharedControl, WithoutConfirmationsTheJudgeNotices) {
  EXPECT_GT(Found({.confirms_from_cache = true}), 0);
}

TEST(SharedControl, WatchersThatKnowNoEpochAreNoticed) {
  EXPECT_GT(Found({.hides_generation = true}), 0);
}

TEST(SharedControl, AnErrorTakenForNothingWasDoneIsNoticed) {
  EXPECT_GT(Found({.unknown_is_not_appended = true}), 0);
}

TEST(SharedControl, WhatIsSaidBeforeItIsDurableIsNoticed) {
  EXPECT_GT(Found({.answers_before_durable = true}), 0);
}

TEST(SharedControl, AStoreThatTellsTheTruthIsFoundRight) {
  EXPECT_EQ(Found({}), 0);
}

}  // namespace
}  // namespace seatlock::engine

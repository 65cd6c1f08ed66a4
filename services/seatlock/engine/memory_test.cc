// What readers and callers can make the engine hold, and what it does about it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/seatlock/engine/engine_fixture.h"
#include "services/seatlock/engine/limits.h"

namespace seatlock::engine {
namespace {

using ::testing::ElementsAre;

class MemoryTest : public EngineTest {
 protected:
  // An engine of its own bounds.
  void Bound(MemoryBounds memory) {
    Engine::Options options = OptionsOver(log_);
    options.memory = memory;
    engine_.reset();
    engine_.emplace(std::move(options));
  }
  // Books nothing, locks `count` seats, 100 a session.
  void Fill(int count) {
    for (int first = 0; first < count; first += 100) {
      std::vector<std::string> seats;
      for (int i = first; i < first + 100; ++i) seats.push_back(absl::StrCat("S", i));
      Do(Lock(absl::StrCat("session", first), seats, "", 7'200'000));
    }
  }
};

TEST_F(MemoryTest, ASnapshotIsEncodedOnceARevisionForReadersAndWatchersAlike) {
  Fill(1000);
  auto watcher = Watch();
  encoder_.seats = 0;
  auto first = ReadSeats();
  Settle();
  auto second = ReadSeats();
  Settle();
  ASSERT_TRUE(*first != nullptr && *second != nullptr);
  EXPECT_EQ(first->get(), second->get());
  EXPECT_EQ(encoder_.seats, 0) << "the watch had it encoded";
  EXPECT_EQ((*first)->position.revision.value(), 10u);
}

TEST_F(MemoryTest, ASnapshotUnderManyChangesIsOfACommittedStateAndComes) {
  encoder_.name_seats = true;
  Fill(static_cast<int>(3 * kChunksPerStep * kChunkSeatsMax));
  auto read = ReadSeats();
  log_.Hold();
  Told told = Submit(Lock("alice", {"ZZZ"}));
  Settle();
  EXPECT_EQ(*read, nullptr) << "told of a lock that is not durable";
  log_.Release();
  Settle();
  ASSERT_NE(*read, nullptr);
  std::string text;
  for (const Bytes& part : (*read)->seats) text += *part;
  EXPECT_NE(text.find("ZZZ"), std::string::npos);
  EXPECT_EQ((*read)->position.revision.value(), RevisionOf(**told));
}

TEST_F(MemoryTest, ASnapshotWhoseStateIsLostOnTheWayStillComes) {
  Fill(static_cast<int>(3 * kChunksPerStep * kChunkSeatsMax));
  auto read = ReadSeats();
  log_.Hold();
  Submit(Lock("alice", {"ZZZ"}));
  log_.ReleaseOne(testing::FaultyLog::Fault::kUnknownLost);
  log_.Release();
  Settle();
  ASSERT_NE(*read, nullptr);
}

TEST_F(MemoryTest, ALargeShowtimesSnapshotIsBuiltBesideItAndIsWhatTheNextLoadBeginsWith) {
  Fill(static_cast<int>(kExportEntriesMax) + 100);
  const int loads = log_.loads();
  for (size_t i = 0; i < kExportEntriesMax + 200; ++i) {
    Do(i % 2 == 0 ? Lock("alice", {"A1"}) : Unlock("alice", "A1"));
  }
  EXPECT_EQ(log_.loads() - loads, 1) << "the log is read for it, once";
  EXPECT_EQ(log_.snapshots(), 1);
  Restart();
  EXPECT_TRUE(IsRefused(Do(Lock("bob", {"S7"})), domain::Reason::kSeatTaken));
  EXPECT_TRUE(IsRefused(Do(Lock("bob", {"S2050"})), domain::Reason::kSeatTaken));
}

// Each holds a message of 100 kB that it was handed and two that wait.
class SlowMemoryTest : public MemoryTest {
 protected:
  void OpenSlowReaders(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string showtime = absl::StrCat("s", i);
      DoIn(showtime, Lock("alice", {"A1"}));
      slow_.push_back(Watch(std::nullopt, showtime));
      slow_.back()->paused = true;
      clock_.AdvanceMs(1);
      for (const char* seat : {"A2", "A3", "A4"}) DoIn(showtime, Lock("alice", {seat}));
      slow_.back()->watcher->Next();
    }
  }
  int Ended() {
    int ended = 0;
    for (const auto& reader : slow_) {
      reader->paused = false;
      reader->Take();
      if (!reader->end) break;
      EXPECT_EQ(reader->end->kind, Failure::Kind::kShed);
      ++ended;
    }
    return ended;
  }

  std::vector<std::shared_ptr<Reader>> slow_;
};

TEST_F(SlowMemoryTest, ReadersThatDoNotReadAreEndedBeyondTheBoundTheSlowestFirst) {
  encoder_.padding = 100'000;
  Bound({.held_for_readers = 1'500'000});
  OpenSlowReaders(20);
  clock_.AdvanceMs(kShedAgeMs);
  auto busy = Watch(std::nullopt, "s0");
  busy->paused = true;
  DoIn("s0", Lock("alice", {"A5"}));
  busy->watcher->Next();  // in the middle of a write, as a quick reader is at any moment
  Tick();
  EXPECT_LE(engine_->held_for_readers(), 2 * 1'500'000);
  busy->paused = false;
  busy->Take();
  EXPECT_FALSE(busy->end.has_value()) << "a reader that reads was ended";
  const int ended = Ended();
  EXPECT_GE(ended, 5);
  EXPECT_LT(ended, 20) << "the quickest of them stay";
  EXPECT_EQ(observer_.shed, ended);
}

TEST_F(SlowMemoryTest, NoMoreAreEndedUntilWhatTheFirstHeldIsGivenBack) {
  encoder_.padding = 100'000;
  Bound({.held_for_readers = 1});
  OpenSlowReaders(static_cast<int>(kShedAtOnce) + 10);
  clock_.AdvanceMs(kShedAgeMs);
  Tick();
  const int first = observer_.shed;
  EXPECT_GT(first, 10);
  EXPECT_LE(first, static_cast<int>(kShedAtOnce));
  Tick();
  EXPECT_EQ(observer_.shed, first);
  clock_.AdvanceMs(kShedGraceMs);
  Tick();
  EXPECT_GT(observer_.shed, first);
}

TEST_F(SlowMemoryTest, ControlWithoutTheBoundNobodyIsEndedAndAllOfItIsHeld) {
  encoder_.padding = 100'000;
  Bound({.held_for_readers = INT64_MAX});
  OpenSlowReaders(20);
  clock_.AdvanceMs(kShedAgeMs);
  Tick();
  EXPECT_GE(engine_->held_for_readers(), 20 * 2 * 100'000);
  EXPECT_EQ(Ended(), 0);
}

TEST_F(SlowMemoryTest, WhoDoesNotTakeItsEndIsCutOff) {
  encoder_.padding = 100'000;
  Bound({.held_for_readers = 1});
  OpenSlowReaders(1);
  clock_.AdvanceMs(kShedAgeMs);
  Tick();
  EXPECT_EQ(observer_.shed, 1);
  EXPECT_FALSE(slow_[0]->cut);
  clock_.AdvanceMs(kShedGraceMs);
  Tick();
  EXPECT_TRUE(slow_[0]->cut);
}

TEST_F(SlowMemoryTest, AReaderThatDoesNotReadIsCutOffWhenTheServerGoes) {
  OpenSlowReaders(1);
  engine_->Drain();
  Tick();
  EXPECT_FALSE(slow_[0]->cut);
  clock_.AdvanceMs(kDrainGraceMs);
  Tick();
  EXPECT_TRUE(slow_[0]->cut);
}

// As a call of GetShowtime is: handed a snapshot, and not known to any actor.
class StuckAnswer final : public Recipient {
 public:
  explicit StuckAnswer(std::shared_ptr<const SeatSnapshot> snapshot) : held(std::move(snapshot)) {}
  std::optional<int64_t> busy_since_ms() const override { return 0; }
  int64_t handed_bytes() const override { return 0; }
  void Shed(Failure) override {}
  void Cut() override { held.reset(); }
  std::shared_ptr<const SeatSnapshot> held;
};

TEST_F(MemoryTest, AnAnswerThatNobodyReadsIsCutOffLikeAStream) {
  encoder_.name_seats = true;
  Bound({.held_for_readers = 100});
  Fill(500);
  auto read = ReadSeats();
  Settle();
  auto answer = std::make_shared<StuckAnswer>(std::exchange(*read, nullptr));
  engine_->recipients().Add(answer);
  for (int i = 0; i < 500; i += 50) Do(Lock("alice", {absl::StrCat("S", i, "-")}));
  auto reader = Watch();  // the seat map lets go of what the answer holds
  EXPECT_GT(engine_->held_for_readers(), 100);
  clock_.AdvanceMs(kShedAgeMs);
  Tick();
  clock_.AdvanceMs(kShedGraceMs);
  Tick();
  EXPECT_EQ(answer->held, nullptr);
  EXPECT_FALSE(reader->end.has_value()) << "a reader that reads was ended";
  EXPECT_LE(engine_->held_for_readers(), 100);
}

TEST_F(MemoryTest, ReadingInventedShowtimesFillsNothing) {
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(Read(absl::StrCat("invented", i))->held, 0u);
    DoIn(absl::StrCat("none", i), Unlock("alice", "A1"));
  }
  EXPECT_EQ(engine_->live_showtimes(), 0u);
  auto reader = Watch(std::nullopt, "watched");
  EXPECT_EQ(engine_->live_showtimes(), 1u) << "control";
  reader->watcher->Close();
  EXPECT_EQ(engine_->live_showtimes(), 0u);
}

TEST_F(MemoryTest, ReadsThatWaitCountLikeCommands) {
  log_.Hold();
  const size_t showtimes = kPendingMax / kPendingPerShowtimeMax;
  for (size_t i = 0; i < showtimes; ++i) {
    const std::string showtime = absl::StrCat("s", i);
    SubmitTo(*engine_, Lock("alice", {"A1"}), nullptr, showtime);
    Settle();
    for (size_t read = 0; read < kPendingPerShowtimeMax; ++read) {
      Query query;
      query.read = [](const View&) -> base::Task { return [] {}; };
      query.fail = [](const Failure&) {};
      engine_->Read(domain::ShowtimeId(showtime), std::move(query));
    }
  }
  Told told = SubmitTo(*engine_, Lock("bob", {"A1"}), nullptr, "other");
  Settle();
  ASSERT_TRUE(told->has_value());
  EXPECT_TRUE(IsFailed(**told, Failure::Kind::kOverloaded));
  log_.Release();
  Settle();
  EXPECT_EQ(RevisionOf(DoIn("other", Lock("bob", {"A1"}))), 1u) << "served, they count no more";
  EXPECT_EQ(engine_->live_showtimes(), showtimes + 1);
}

TEST_F(MemoryTest, CallsThatAreRefusedFillNothingEither) {
  Bound({.showtimes = 200});
  std::vector<std::shared_ptr<Reader>> watchers;
  for (size_t i = 0; i < kWatchersMax; ++i) watchers.push_back(Watch());
  for (int i = 0; i < 500; ++i) {
    EXPECT_TRUE(Watch(std::nullopt, absl::StrCat("invented", i))->end.has_value());
  }
  EXPECT_EQ(engine_->live_showtimes(), 1u);
  for (const auto& watcher : watchers) watcher->watcher->Close();
}

TEST_F(MemoryTest, ShowtimesThatNobodyUsesMakeRoomWhenTheirNumberIsReached) {
  Bound({.showtimes = 100});
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(RevisionOf(DoIn(absl::StrCat("s", i), Lock("alice", {"A1"}))), 1u) << i;
    if (i % 5 == 0) Tick();
  }
  EXPECT_LE(engine_->live_showtimes(), 100u);
}

TEST_F(MemoryTest, WatchesThatCameAndWentWhileAnAppendIsUnderWayTakeNoReadsPlace) {
  Do(Lock("alice", {"A1"}));
  log_.Hold();
  Submit(Lock("alice", {"A2"}));
  for (size_t i = 0; i <= kPendingPerShowtimeMax; ++i) {
    auto reader = std::make_shared<Reader>();
    reader->watcher = engine_->Watch(showtime_, std::nullopt, [] {});
    reader->watcher->Next();
    reader->watcher->Close();
  }
  auto read = Read();
  EXPECT_FALSE(read->failure.has_value());
  log_.Release();
  Settle();
  EXPECT_EQ(read->held, 2u);
}

TEST_F(MemoryTest, AReadThatWaitedHandsOutNoLockThatHasEnded) {
  Do(Lock("alice", {"A1"}, "", 1000));
  Do(Lock("alice", {"A2"}, "", 2000));
  clock_.AdvanceMs(1000);
  log_.Hold();
  int64_t now_ms = 0;
  Query query;
  query.read = [&now_ms](const View& view) -> base::Task {
    now_ms = view.now_ms;
    return [] {};
  };
  query.fail = [](const Failure&) {};
  engine_->Read(showtime_, std::move(query));
  Settle();
  clock_.AdvanceMs(1500);
  log_.Release();
  Settle();
  EXPECT_EQ(now_ms, clock_.NowMs()) << "the time when it is served, so that A2 is left out";
}

TEST_F(MemoryTest, IdleShowtimesGoWhenMemoryIsShortAndNoneIsLoadedThatDoesNotFit) {
  domain::Showtime one;
  one.Apply({.revision = domain::Revision(1),
             .commit_ms = 1,
             .cause = domain::Cause::kLock,
             .seats = {{.seat = domain::SeatId("A1"),
                        .status = domain::SeatStatus::kLocked,
                        .session = domain::SessionId("alice"),
                        .expire_ms = 2,
                        .fence = domain::Fence(1)}}});
  const auto one_bytes = static_cast<int64_t>(one.ApproximateBytes());
  Bound({.state = 10 * one_bytes});
  for (int i = 0; i < 20; ++i) {
    DoIn(absl::StrCat("s", i), Lock("alice", {"A1"}));
    clock_.AdvanceMs(kWatcherSweepMs);
    Tick();
  }
  EXPECT_LE(engine_->live_showtimes(), 10u);
  EXPECT_EQ(Read("s0")->held, 1u) << "it is loaded again";
  auto stays = Watch(std::nullopt, "large");
  for (int call = 0; call < 10; ++call) {
    std::vector<std::string> seats;
    for (int i = 0; i < 100; ++i) seats.push_back(absl::StrCat("S", call, ".", i));
    DoIn("large", Lock(absl::StrCat("session", call), seats));
  }
  const auto refused = Read("s1");
  ASSERT_TRUE(refused->failure.has_value());
  EXPECT_EQ(refused->failure->kind, Failure::Kind::kOverloaded);
}

TEST_F(MemoryTest, ACallerThatHasGoneIsNotReadFor) {
  Do(Lock("alice", {"A1"}));
  log_.Hold();
  Submit(Lock("alice", {"A2"}));
  bool read = false;
  std::optional<Failure> failure;
  Query query;
  query.read = [&read](const View&) -> base::Task {
    read = true;
    return [] {};
  };
  query.fail = [&failure](Failure why) { failure = std::move(why); };
  query.cancelled = [] { return true; };
  engine_->Read(showtime_, std::move(query));
  log_.Release();
  Settle();
  EXPECT_FALSE(read);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->kind, Failure::Kind::kCancelled);
}

}  // namespace
}  // namespace seatlock::engine

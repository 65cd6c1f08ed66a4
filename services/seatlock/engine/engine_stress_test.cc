// The engine with the threads that it has in service, over a real file, and no gRPC in the process:
// what ThreadSanitizer can see whole (./dev test --tsan).
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/random.h"
#include "common/base/ticker.h"
#include "services/seatlock/engine/engine.h"
#include "services/seatlock/log/sqlite/sqlite_log.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::engine {
namespace {

constexpr int kShowtimes = 3;
constexpr int kSessions = 4;
constexpr int kRounds = 300;
constexpr int kSeats = 5;  // few, so that sessions collide

// "revision seat=session …", a word a change; sessions of locked seats alone.
class PlainEncoder final : public WatchEncoder {
 public:
  std::string EncodeChange(const domain::ShowtimeId&, const domain::Epoch&,
                           const domain::Change& change) const override {
    std::string text = absl::StrCat(change.revision.value());
    for (const domain::SeatAfter& seat : change.seats) {
      const bool locked = seat.status == domain::SeatStatus::kLocked;
      absl::StrAppend(&text, " ", seat.seat.value(), "=", locked ? seat.session.value() : "");
    }
    return text;
  }
  std::string EncodeProgress(const Position&) const override { return "progress"; }
  void AppendSeat(const domain::SeatView&, std::string&) const override {}
  std::string EncodeSnapshotHead(const domain::ShowtimeId&, const SnapshotPart&) const override {
    return "snapshot";
  }
};

// Takes on whatever thread wakes it, as an rpc stream does.
struct Stream {
  std::shared_ptr<Watcher> watcher;
  base::Mutex mu;
  base::CondVar grew;
  std::vector<std::string> changes ABSL_GUARDED_BY(mu);
  bool over ABSL_GUARDED_BY(mu) = false;

  void Take() {
    while (true) {
      Watcher::Item item = watcher->Next();
      if (std::holds_alternative<Watcher::Nothing>(item)) return;
      base::MutexLock lock(mu);
      if (auto* message = std::get_if<MessagePtr>(&item)) {
        const std::string& text = *(*message)->parts.front();
        if (text != "progress") changes.push_back(text);
      } else {
        over = true;
      }
      grew.NotifyAll();
      if (over) return;
    }
  }
  void WaitForChanges(size_t count) {
    base::MutexLock lock(mu);
    while (changes.size() < count && !over) grew.Wait(mu);
  }
};

// Submits and waits.
class Caller {
 public:
  Caller(Engine& engine, domain::ShowtimeId showtime)
      : engine_(engine), showtime_(std::move(showtime)) {}

  Result Call(domain::Command command) {
    std::optional<Result> told;
    base::Mutex mu;
    base::CondVar answered;
    Work work;
    work.command = std::move(command);
    work.done = [&](Result result) {
      base::MutexLock lock(mu);
      told = std::move(result);
      answered.NotifyAll();
    };
    engine_.Submit(showtime_, std::move(work));
    base::MutexLock lock(mu);
    while (!told) answered.Wait(mu);
    return *std::move(told);
  }

 private:
  Engine& engine_;
  const domain::ShowtimeId showtime_;
};

domain::Command Lock(const std::string& session, const std::string& seat) {
  domain::LockSeats body;
  body.session = domain::SessionId(session);
  body.seats.emplace_back(seat);
  return {domain::RequestId(base::RandomHex(8)), std::move(body)};
}

domain::Command Unlock(const std::string& session, const std::string& seat) {
  domain::UnlockSeats body;
  body.session = domain::SessionId(session);
  body.seats.emplace_back(seat);
  return {{}, std::move(body)};
}

// Reads all seats and waits for them; opens a watch, and leaves it again at once.
void Look(Engine& engine, const domain::ShowtimeId& showtime) {
  bool told = false;
  base::Mutex mu;
  base::CondVar answered;
  SnapshotQuery query;
  query.done = [&](std::shared_ptr<const SeatSnapshot> snapshot) {
    base::MutexLock lock(mu);
    told = snapshot != nullptr;
    answered.NotifyAll();
  };
  query.fail = [](const Failure& failure) { ADD_FAILURE() << failure.message; };
  engine.Read(showtime, std::move(query));
  auto watcher = engine.Watch(showtime, std::nullopt, [] {});
  watcher->Next();
  watcher->Close();
  base::MutexLock lock(mu);
  while (!told && !::testing::Test::HasFailure()) answered.Wait(mu);
}

// Locks and unlocks; counts the changes that were acknowledged, and whether a second session was
// ever told that it has a seat that one holds.
void Shop(Engine& engine, int showtime, int session, std::vector<std::atomic<int>>& holders,
          std::atomic<int>& changes, std::atomic<int>& doubles) {
  Caller caller(engine, domain::ShowtimeId(absl::StrCat(showtime)));
  const std::string name = absl::StrCat("session", session);
  for (int round = 0; round < kRounds; ++round) {
    const int seat = (round + session) % kSeats;
    const std::string id = absl::StrCat("A", seat);
    if (round % 8 == 0) Look(engine, domain::ShowtimeId(absl::StrCat(showtime)));
    if (!std::holds_alternative<domain::Answer>(caller.Call(Lock(name, id)))) continue;
    if (holders[seat].fetch_add(1) != 0) ++doubles;
    holders[seat].fetch_sub(1);
    if (std::holds_alternative<domain::Answer>(caller.Call(Unlock(name, id)))) changes += 2;
  }
}

TEST(EngineStressTest, ManyThreadsNeverShareASeatAndEveryStreamSeesEveryChangeOnce) {
  testing::TempDir dir;
  log::SqliteLog::Options options;
  options.path = dir.File("seatlock.db");
  auto log = log::SqliteLog::Open(std::move(options));
  ASSERT_TRUE(log.ok()) << log.status();
  const PlainEncoder encoder;
  Observer observer;
  base::ThreadExecutor completions;
  base::ThreadExecutor background;
  base::ThreadExecutor maintenance;
  Engine engine(
      {**log, base::SystemClock(), encoder, observer, completions, background, maintenance, {}, [] {
         return base::RandomHex(8);
       }});
  auto ticker =
      std::make_unique<base::Ticker>(std::chrono::milliseconds(1), [&engine] { engine.Tick(); });
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < 2 * kShowtimes; ++i) {
    auto stream = std::make_unique<Stream>();
    Stream* raw = stream.get();
    stream->watcher = engine.Watch(domain::ShowtimeId(absl::StrCat(i % kShowtimes)), std::nullopt,
                                   [raw] { raw->Take(); });
    stream->Take();
    streams.push_back(std::move(stream));
  }
  std::vector<std::vector<std::atomic<int>>> holders(kShowtimes);
  std::vector<std::atomic<int>> changes(kShowtimes);
  for (auto& seats : holders) seats = std::vector<std::atomic<int>>(kSeats);
  std::atomic<int> doubles{0};
  std::vector<std::thread> shoppers;
  for (int i = 0; i < kShowtimes * kSessions; ++i) {
    shoppers.emplace_back([&, showtime = i % kShowtimes, session = i / kShowtimes] {
      Shop(engine, showtime, session, holders[showtime], changes[showtime], doubles);
    });
  }
  for (std::thread& shopper : shoppers) shopper.join();
  EXPECT_EQ(doubles, 0);
  for (size_t i = 0; i < streams.size(); ++i) {
    Stream& stream = *streams[i];
    const size_t expected = changes[i % kShowtimes];
    stream.WaitForChanges(expected);
    base::MutexLock lock(stream.mu);
    ASSERT_EQ(stream.changes.size(), expected);
    for (size_t at = 0; at < expected; ++at) {
      EXPECT_EQ(std::stoul(stream.changes[at]), at + 1) << stream.changes[at];
    }
  }
  ticker.reset();
  engine.Stop();
  for (const auto& stream : streams) {
    base::MutexLock lock(stream->mu);
    EXPECT_TRUE(stream->over);
  }
}

}  // namespace
}  // namespace seatlock::engine

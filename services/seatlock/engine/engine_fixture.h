// An engine on a manual executor, a fake clock and a memory log that can be made to fail: tests
// of the engine move everything by hand.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/seatlock/engine/engine.h"
#include "services/seatlock/log/memory/memory_log.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/faulty_log.h"
#include "tests/testing/manual_executor.h"

namespace seatlock::engine {

// Writes messages as words, and counts how often it was asked.
class WordEncoder final : public WatchEncoder {
 public:
  std::string EncodeChange(const domain::ShowtimeId&, const domain::Epoch& epoch,
                           const domain::Change& change) const override {
    ++changes;
    last_epoch = epoch;
    std::string word = absl::StrCat("change ", change.revision.value());
    if (name_sessions) absl::StrAppend(&word, " ", change.seats[0].session.value());
    return Word(std::move(word));
  }
  std::string EncodeProgress(const Position& position) const override {
    return Word(absl::StrCat("progress ", position.revision.value()));
  }
  void AppendSeat(const domain::SeatView& seat, std::string& bytes) const override {
    ++seats;
    if (name_seats) absl::StrAppend(&bytes, " ", seat.seat.value());
  }
  std::string EncodeSnapshotHead(const domain::ShowtimeId&,
                                 const SnapshotPart& part) const override {
    ++heads;
    last_epoch = part.position.epoch;
    return absl::StrCat(part.replaces ? "replacing " : "snapshot ", part.position.revision.value());
  }

  // Added to every change, to fill queues quickly.
  size_t padding = 0;
  // Whether snapshots list their seats.
  bool name_seats = false;
  // Whether changes name the session of their first seat.
  bool name_sessions = false;
  mutable int changes = 0;
  mutable int seats = 0;
  mutable int heads = 0;
  mutable domain::Epoch last_epoch;

 private:
  std::string Word(std::string word) const {
    word.resize(word.size() + padding, ' ');
    return word;
  }
};

// Counts what the engine reports.
class RecordingObserver final : public Observer {
 public:
  void OnStoreError(const domain::ShowtimeId&, const absl::Status&) override { ++store_errors; }
  void OnReaderShed() override { ++shed; }
  void OnDeleted(const domain::ShowtimeId&, const std::string& principal) override {
    deleted_by.push_back(principal);
  }

  int store_errors = 0;
  int shed = 0;
  std::vector<std::string> deleted_by;
};

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() { engine_.emplace(OptionsOver(log_)); }

  Engine::Options OptionsOver(log::ShowtimeLog& log) {
    return {log,       clock_,    encoder_,
            observer_, executor_, executor_,
            executor_, {},        [this] { return absl::StrCat("epoch", ++epochs_); }};
  }

  // Runs everything that is ready to run.
  void Settle() { executor_.RunAll(); }
  void Tick() {
    engine_->Tick();
    Settle();
  }
  // As a process that dies and starts again.
  void Restart() {
    engine_.reset();
    engine_.emplace(OptionsOver(log_));
  }

  // Where the result of a command will be; empty until it is told.
  using Told = std::shared_ptr<std::optional<Result>>;

  static domain::Command Lock(const std::string& session, std::vector<std::string> seats,
                              const std::string& request = "", int64_t ttl_ms = 60'000) {
    domain::LockSeats body;
    body.session = domain::SessionId(session);
    for (const std::string& seat : seats) body.seats.emplace_back(seat);
    body.ttl_ms = ttl_ms;
    domain::Command command;
    if (!request.empty()) command.request_id = domain::RequestId(request);
    command.body = std::move(body);
    return command;
  }
  static domain::Command Unlock(const std::string& session, const std::string& seat) {
    domain::UnlockSeats body;
    body.session = domain::SessionId(session);
    body.seats.emplace_back(seat);
    return {{}, std::move(body)};
  }

  Told SubmitTo(Engine& engine, domain::Command command, bool* gone = nullptr,
                const std::string& showtime = "123") {
    auto told = std::make_shared<std::optional<Result>>();
    Work work;
    work.command = std::move(command);
    if (gone != nullptr) work.cancelled = [gone] { return *gone; };
    work.done = [told](Result result) { *told = std::move(result); };
    engine.Submit(domain::ShowtimeId(showtime), std::move(work));
    return told;
  }
  Told Submit(domain::Command command, bool* gone = nullptr) {
    return SubmitTo(*engine_, std::move(command), gone);
  }
  // Submits and settles.
  Result Do(domain::Command command) {
    Told told = Submit(std::move(command));
    Settle();
    EXPECT_TRUE(told->has_value()) << "no answer came";
    return told->value_or(Failure{});
  }

  // As Do, on another showtime.
  Result DoIn(const std::string& showtime, domain::Command command) {
    Told told = SubmitTo(*engine_, std::move(command), nullptr, showtime);
    Settle();
    EXPECT_TRUE(told->has_value()) << "no answer came";
    return told->value_or(Failure{});
  }

  // What becomes of a deletion: none until it is told; then why not, or nothing.
  using DeletionTold = std::shared_ptr<std::optional<std::optional<Failure>>>;
  DeletionTold DeleteFrom(Engine& engine, bool* gone = nullptr, const std::string& principal = "") {
    auto told = std::make_shared<std::optional<std::optional<Failure>>>();
    Deletion deletion;
    deletion.principal = principal;
    if (gone != nullptr) deletion.cancelled = [gone] { return *gone; };
    deletion.done = [told](std::optional<Failure> failure) { *told = std::move(failure); };
    engine.Delete(showtime_, std::move(deletion));
    return told;
  }
  DeletionTold Delete(bool* gone = nullptr, const std::string& principal = "") {
    return DeleteFrom(*engine_, gone, principal);
  }
  static bool IsDone(const DeletionTold& told) {
    return told->has_value() && !(*told)->has_value();
  }
  static bool IsFailed(const DeletionTold& told, Failure::Kind kind) {
    return told->has_value() && (*told)->has_value() && (**told)->kind == kind;
  }

  // What became of a read: the seats that "alice" holds, or why not; neither until it is told.
  struct ReadResult {
    std::optional<size_t> held;
    std::optional<Failure> failure;
  };
  std::shared_ptr<ReadResult> Read(const std::string& showtime = "123") {
    auto result = std::make_shared<ReadResult>();
    Query query;
    query.read = [result](const View& view) -> base::Task {
      result->held = view.state.HeldCount(domain::SessionId("alice"));
      return [] {};
    };
    query.fail = [result](Failure failure) { result->failure = std::move(failure); };
    engine_->Read(domain::ShowtimeId(showtime), std::move(query));
    Settle();
    return result;
  }
  // All seats; null until they are told.
  std::shared_ptr<std::shared_ptr<const SeatSnapshot>> ReadSeats() {
    auto result = std::make_shared<std::shared_ptr<const SeatSnapshot>>();
    SnapshotQuery query;
    query.done = [result](std::shared_ptr<const SeatSnapshot> snapshot) {
      *result = std::move(snapshot);
    };
    query.fail = [](const Failure& failure) { ADD_FAILURE() << failure.message; };
    engine_->Read(showtime_, std::move(query));
    return result;
  }

  static uint64_t RevisionOf(const Result& result) {
    auto* answer = std::get_if<domain::Answer>(&result);
    return answer == nullptr ? 0 : answer->revision.value();
  }
  static bool IsRefused(const Result& result, domain::Reason reason) {
    auto* refusal = std::get_if<domain::Refusal>(&result);
    return refusal != nullptr && refusal->reason == reason;
  }
  static bool IsFailed(const Result& result, Failure::Kind kind) {
    auto* failure = std::get_if<Failure>(&result);
    return failure != nullptr && failure->kind == kind;
  }

  // A reader that takes whatever comes, unless it is paused.
  struct Reader {
    std::shared_ptr<Watcher> watcher;
    std::vector<std::string> words;
    std::optional<Failure> end;
    bool paused = false;
    bool cut = false;

    void Take() {
      while (!paused && !end) {
        Watcher::Item item = watcher->Next();
        if (auto* message = std::get_if<MessagePtr>(&item)) {
          std::string word;
          for (const Bytes& part : (*message)->parts) word += *part;
          word.erase(word.find_last_not_of(' ') + 1);
          words.push_back(std::move(word));
        } else if (auto* failure = std::get_if<Failure>(&item)) {
          end = *failure;
        } else {
          return;
        }
      }
    }
  };

  std::shared_ptr<Reader> Watch(std::optional<Position> resume = std::nullopt,
                                const std::string& showtime = "123") {
    auto reader = std::make_shared<Reader>();
    std::weak_ptr<Reader> weak = reader;  // a test may drop its reader before the engine ends
    reader->watcher = engine_->Watch(
        domain::ShowtimeId(showtime), std::move(resume),
        [weak] {
          if (auto live = weak.lock()) live->Take();
        },
        [weak] {
          if (auto live = weak.lock()) live->cut = true;
        });
    reader->Take();
    Settle();
    return reader;
  }

  const domain::ShowtimeId showtime_{"123"};
  testing::FakeClock clock_;
  log::MemoryLog memory_;
  testing::FaultyLog log_{memory_};
  WordEncoder encoder_;
  RecordingObserver observer_;
  testing::ManualExecutor executor_;
  int epochs_ = 0;
  std::optional<Engine> engine_;
};

}  // namespace seatlock::engine

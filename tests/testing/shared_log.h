// A store that several servers write, in memory: for tests of what a server does while others
// write, and while the store is slow, loses answers, or goes back to an earlier state.
//
// A SharedStore is the store, each server has a SharedLog over it. What happens to whom is decided
// by the test alone: nothing here is random. Not thread-safe: for engines on manual executors. The
// store outlives its logs, and a log outlives its engine.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/seatlock/log/memory/memory_log.h"

namespace seatlock::testing {

class SharedLog;

class SharedStore {
 public:
  using Reached = std::map<domain::ShowtimeId, domain::Revision>;

  SharedStore();

  // From now on plain reads show records before they are durable, and appends and confirmations of
  // all servers are answered only once BecomeDurable or LoseUndurable was called.
  void HoldDurability() { holding_ = true; }
  void BecomeDurable();
  // As a failover to a replica that was behind: what is not durable is gone, the generation is
  // another, and those who wait for an answer hear that the outcome is unknown.
  void LoseUndurable();
  // Goes back: each showtime in `to` has the records up to its revision there, others keep theirs.
  // An append stays as a whole or goes as a whole.
  // The generation is another. Answers that are on their way and say otherwise never arrive: their
  // askers hear that the outcome is unknown.
  void Rewind(const Reached& to);
  // As a failover that lost nothing.
  void ChangeGeneration() { Rewind({}); }
  // As another server would delete it.
  void Delete(const domain::ShowtimeId& showtime);
  // Whether appends that take seats are refused.
  void SetShortOfRoom(bool short_of_room) { short_of_room_ = short_of_room; }
  // Executes the appends that were to come late (SharedLog::Fault::kUnknownLate). How many landed.
  int LandLate();
  size_t late() const { return late_.size(); }

  log::Head head(const domain::ShowtimeId& showtime);
  // All records that are durable.
  std::vector<log::StoredRecord> Durable(const domain::ShowtimeId& showtime);
  const std::string& generation() const { return generation_; }
  // Called whenever the durable records of a showtime have changed.
  void OnDurable(std::function<void(const domain::ShowtimeId&)> call) {
    on_durable_ = std::move(call);
  }

 private:
  friend class SharedLog;

  // An answer that waits for durability.
  struct Waiting {
    SharedLog* log;
    domain::ShowtimeId showtime;
    log::AppendResult result;
    log::ShowtimeLog::AppendCallback done;
  };

  log::AppendResult Execute(log::AppendRequest request);
  void Rebuild(const Reached& to);
  void NoteDurable(const domain::ShowtimeId& showtime, domain::Revision revision);

  std::unique_ptr<log::MemoryLog> real_;
  std::string generation_;
  int generations_ = 0;
  bool holding_ = false;
  bool short_of_room_ = false;
  std::vector<SharedLog*> logs_;
  Reached durable_;
  // What each append said of when the showtime next needs attention.
  std::map<domain::ShowtimeId, std::map<domain::Revision, std::optional<int64_t>>> wakes_;
  std::map<domain::ShowtimeId, uint64_t> changed_;
  uint64_t counter_ = 0;
  std::deque<Waiting> waiting_;
  std::deque<log::AppendRequest> late_;
  std::function<void(const domain::ShowtimeId&)> on_durable_;
};

class SharedLog final : public log::ShowtimeLog {
 public:
  using Outcome = log::AppendResult::Outcome;
  // What becomes of an append that is no confirmation. kUnknownLate: it lands with LandLate, if it
  // still fits.
  enum class Fault {
    kNone,
    kNotAppended,
    kQueueFull,
    kUnknownLanded,
    kUnknownLost,
    kUnknownLate,
  };
  enum class Hints { kPrompt, kDoubled, kHeld, kLost };
  // Stores that break what the port promises: each takes one safeguard away from the engine.
  struct Lies {
    bool confirms_from_cache = false;      // confirms whatever it is asked, without asking
    bool hides_generation = false;         // tells the first generation for ever
    bool unknown_is_not_appended = false;  // says that nothing was done
    bool answers_before_durable = false;   // appends and confirmations
  };

  explicit SharedLog(SharedStore& store) : SharedLog(store, Lies{}) {}
  SharedLog(SharedStore& store, Lies lies);
  ~SharedLog() override;

  // Calls reach the store at once, their answers wait.
  void HoldAnswers() { holding_ = true; }
  size_t held() const { return held_.size(); }
  void ReleaseOne();
  void ReleaseNewest();
  void ReleaseAnswers();
  void SetHints(Hints hints) { hints_ = hints; }
  // Hands on the hints that were held, newest first.
  void ReleaseHints();
  // A server that does not run: neither answers nor hints come in until Continue.
  void Pause();
  void Continue();
  void SetFault(Fault fault) { fault_ = fault; }
  // Of the next append alone.
  void FaultNext(Fault fault) { fault_next_ = fault; }
  // Reads, loads and appends fail with UNAVAILABLE; like a store that notices it itself, it says
  // when it is back.
  void SetDown(bool down);

  int appends() const { return appends_; }              // with records
  int confirmations() const { return confirmations_; }  // without
  int loads() const { return loads_; }
  int claims() const { return claims_; }

  void Append(log::AppendRequest request, AppendCallback done) override;
  void Read(domain::ShowtimeId showtime, domain::Revision from, size_t max_records,
            PageCallback done) override;
  void Load(domain::ShowtimeId showtime, LoadCallback done) override;
  void SaveSnapshot(domain::ShowtimeId showtime, log::StoredSnapshot snapshot,
                    StatusCallback done) override;
  void Trim(domain::ShowtimeId showtime, int64_t before_ms, uint64_t keep,
            StatusCallback done) override;
  void Due(int64_t now_ms, size_t limit, log::DueCursor after, DueCallback done) override;
  void Recover(StatusCallback done) override;
  void List(domain::ShowtimeId after, size_t limit, ListCallback done) override;
  // As SharedStore::Delete.
  void Delete(domain::ShowtimeId showtime, StatusCallback done) override;
  void ClaimDue(int64_t now_ms, size_t limit, int64_t lease_ms, DueCallback done) override;
  bool exclusive() const override { return false; }
  void Follow(HintCallback hint) override { hint_ = std::move(hint); }
  void ChangedSince(log::ChangeMark mark, ChangedCallback done) override;
  std::string Generation() const override { return generation_; }
  int64_t LatestCommitMs() const override { return 0; }
  bool Healthy() const override { return !down_; }
  uint64_t Returns() const override { return returns_; }

 private:
  friend class SharedStore;

  // An answer on its way to the server. `append`: what it says, where a rewind can unsay it.
  struct Answer {
    std::string generation;
    domain::ShowtimeId showtime;
    std::shared_ptr<log::AppendResult> append;
    absl::AnyInvocable<void() &&> tell;
  };

  void Send(Answer answer);
  void SendAppend(const domain::ShowtimeId& showtime, log::AppendResult result,
                  AppendCallback done);
  // Tells by `tell`, with the store's generation as it is now.
  void SendRead(absl::AnyInvocable<void() &&> tell);
  void Deliver(Answer answer);
  void Fail(Fault fault, log::AppendRequest request, AppendCallback done);
  void TakeHint(const domain::ShowtimeId& showtime, domain::Revision revision);

  SharedStore& store_;
  const Lies lies_;
  std::string generation_;
  bool holding_ = false;
  bool down_ = false;
  Hints hints_ = Hints::kPrompt;
  Fault fault_ = Fault::kNone;
  std::optional<Fault> fault_next_;
  uint64_t returns_ = 0;
  int appends_ = 0;
  int confirmations_ = 0;
  int loads_ = 0;
  int claims_ = 0;
  std::deque<Answer> held_;
  std::deque<std::pair<domain::ShowtimeId, domain::Revision>> held_hints_;
  HintCallback hint_;
};

}  // namespace seatlock::testing

// Judges what several servers on one store say, against a model of the rules that was written apart
// (tests/testing/naive_model.h): it follows the durable history of one showtime, and holds every
// answer, read and watch against the states that were in force while it was asked. For tests.
// Thread-compatible.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "services/seatlock/engine/outcome.h"
#include "services/seatlock/engine/watch_encoder.h"
#include "services/seatlock/log/showtime_log.h"
#include "tests/testing/naive_model.h"

namespace seatlock::engine {

// Every seat that is taken: its status and session.
using Taken = std::map<std::string, std::pair<domain::SeatStatus, std::string>>;

// Writes messages that WatchedView can read.
class JudgeEncoder final : public WatchEncoder {
 public:
  std::string EncodeChange(const domain::ShowtimeId&, const domain::Epoch& epoch,
                           const domain::Change& change) const override;
  std::string EncodeProgress(const Position& position) const override;
  void AppendSeat(const domain::SeatView& seat, std::string& bytes) const override;
  std::string EncodeSnapshotHead(const domain::ShowtimeId&,
                                 const SnapshotPart& part) const override;
};

class SharedJudge {
 public:
  // An attempt to get `command` done, or a read.
  struct Question {
    domain::Command command;
    int64_t asked = 0;     // by the judge's count of events
    int64_t asked_ms = 0;  // by the clock
  };

  explicit SharedJudge(const domain::Rules& rules);

  // The clock shows `now_ms` from now on.
  void SeeTime(int64_t now_ms);
  // The showtime's durable records are `records` from now on.
  void SeeDurable(const std::vector<log::StoredRecord>& records, const std::string& generation);

  Question Ask(domain::Command command);
  void SeeResult(const Question& question, const Result& result);
  void SeeRead(const Question& question, domain::Revision revision, const Taken& taken);
  // A watcher was sent `bytes` of a record; or a snapshot.
  void SeeChange(const std::string& bytes);
  void SeeSnapshot(domain::Revision revision, const Taken& taken);

  // What all must agree with in the end.
  domain::Revision revision() const;
  Taken taken() const;

  // What was wrong first; empty: nothing.
  const std::string& fault() const { return fault_; }
  void Blame(const std::string& what);
  // How often each kind of thing was judged.
  const std::map<std::string, int>& counts() const { return counts_; }

 private:
  using Model = domain::testing::NaiveModel;
  // The state from one event to the next version's.
  struct Version {
    int64_t since = 0;
    std::shared_ptr<const Model> model;
  };
  struct Attempts {
    domain::Command command;
    int may_land = 0;                  // under way, or of unknown outcome
    int done = 0;                      // acknowledged
    std::optional<uint64_t> revision;  // in the history as it is now
    std::set<uint64_t> lost;           // where it was in histories that are no more
  };

  void AddRecord(const log::StoredRecord& record);
  void Undo(size_t upto);
  // Whether a state that was in force since `question` passes `test`.
  template <typename Test>
  bool Any(const Question& question, Test test) const;
  // What the model says in such a state.
  bool Justified(const Question& question,
                 const std::function<bool(const domain::testing::Outcome&)>& test) const;
  void SeeAnswer(const Question& question, const domain::Answer& answer);

  const domain::Rules rules_;
  int64_t events_ = 0;
  std::vector<std::pair<int64_t, int64_t>> times_;    // event, what the clock showed from it on
  std::vector<std::shared_ptr<const Model>> models_;  // by revision, of the history as it is now
  std::vector<log::StoredRecord> records_;
  std::string generation_;
  std::vector<Version> versions_;
  std::map<std::string, Attempts> attempts_;  // by request_id
  std::set<std::string> ever_durable_;
  std::string fault_;
  std::map<std::string, int> counts_;
};

// What one watcher knows, over all the streams that it had: it resumes where it was.
class WatchedView {
 public:
  explicit WatchedView(SharedJudge& judge) : judge_(judge) {}

  void See(const std::string& message);
  std::optional<Position> position() const;
  domain::Revision revision() const { return revision_; }
  const std::string& epoch() const { return epoch_; }
  const Taken& taken() const { return taken_; }

 private:
  void SeeChange(const std::string& epoch, const std::string& bytes);
  void SeeSnapshot(const std::string& text);

  SharedJudge& judge_;
  bool begun_ = false;
  std::string epoch_;
  domain::Revision revision_;
  Taken taken_;
};

}  // namespace seatlock::engine

#include "services/seatlock/engine/loader.h"

#include <string>
#include <utility>

#include "services/seatlock/engine/limits.h"
#include "services/seatlock/log/codec/record_codec.h"
#include "services/seatlock/log/verify.h"

namespace seatlock::engine {
namespace {

// One load under way; keeps itself alive through the callbacks that it hands out.
class Load : public std::enable_shared_from_this<Load> {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<Loaded>) &&>;

  Load(std::shared_ptr<Context> context, base::Executor& executor, domain::ShowtimeId showtime,
       Done done)
      : context_(std::move(context)),
        executor_(executor),
        showtime_(std::move(showtime)),
        done_(std::move(done)) {}

  void Start() {
    if (!context_->gate.Enter()) return FinishClosed();
    context_->log.Load(showtime_, [self = shared_from_this()](auto result) {
      self->OnExecutor(
          [self, result = std::move(result)]() mutable { self->OnLoaded(std::move(result)); });
    });
  }

 private:
  void OnExecutor(base::Task task) {
    executor_.Post([self = shared_from_this(), task = std::move(task)]() mutable {
      std::move(task)();
      self->context_->gate.Leave();
    });
  }

  void FinishClosed() {
    executor_.Post([self = shared_from_this()] {
      std::move(self->done_)(absl::UnavailableError("the service is stopping"));
    });
  }

  void Finish(absl::StatusOr<Loaded> result) { std::move(done_)(std::move(result)); }

  void OnLoaded(absl::StatusOr<log::LoadResult> result) {
    if (!result.ok()) return Finish(result.status());
    loaded_ = Loaded{};
    chain_ = {};
    if (result->snapshot) {
      absl::Status status = Restore(*result->snapshot);
      if (!status.ok()) return Finish(status);
    }
    OnPage(std::move(result->tail));
  }

  void OnPage(absl::StatusOr<log::Page> page) {
    if (!page.ok()) return Finish(page.status());
    if (!GoesOn(*page)) return StartOver();
    for (const log::StoredRecord& record : page->records) {
      absl::Status status = ApplyRecord(record);
      if (!status.ok()) return Finish(status);
      chain_ = record.chain;
    }
    if (loaded_.state.revision() == page->head.revision) {
      loaded_.head = std::move(page->head);
      return Finish(std::move(loaded_));
    }
    if (page->records.empty()) return StartOver();
    if (!context_->gate.Enter()) return FinishClosed();
    context_->log.Read(showtime_, loaded_.state.revision().Next(), log::kPageRecordsMax,
                       [self = shared_from_this()](auto next) {
                         self->OnExecutor([self, next = std::move(next)]() mutable {
                           self->OnPage(std::move(next));
                         });
                       });
  }

  // Whether `page` is of the history that was read so far: on a shared store it may be rewritten
  // between two pages, and what is read then may fit the state and still be another's.
  bool GoesOn(const log::Page& page) const {
    const domain::Revision revision = loaded_.state.revision();
    if (page.records.empty()) return revision != page.head.revision || chain_ == page.head.chain;
    if (revision.value() == 0) return true;
    const log::StoredRecord& first = page.records.front();
    return log::ChainNext(chain_, first.revision, first.bytes) == first.chain;
  }

  absl::Status Restore(const log::StoredSnapshot& snapshot) {
    const domain::Revision revision = snapshot.head.revision;
    auto parts = log::DecodeSnapshot(snapshot.bytes);
    if (!parts.ok()) return Lost(revision, parts.status());
    auto state = domain::Showtime::Restore(*std::move(parts));
    if (!state.ok()) return Lost(revision, state.status());
    if (state->revision() != revision) {
      return log::DataLoss(showtime_, revision, "the snapshot is of another revision");
    }
    loaded_.state = *std::move(state);
    loaded_.snapshot = revision;
    chain_ = snapshot.head.chain;
    return absl::OkStatus();
  }

  // A record whose bytes are whole may still not fit: whoever wrote it had another state, or rules
  // that were not ours.
  absl::Status ApplyRecord(const log::StoredRecord& record) {
    auto change = log::DecodeChange(record.bytes);
    if (!change.ok()) return Lost(record.revision, change.status());
    if (record.revision != change->revision) {
      return log::DataLoss(showtime_, record.revision, "the record is of another revision");
    }
    absl::Status status = loaded_.state.TryApply(*change);
    return status.ok() ? status : Lost(record.revision, status);
  }

  absl::Status Lost(domain::Revision revision, const absl::Status& why) const {
    return log::DataLoss(showtime_, revision, std::string(why.message()).c_str());
  }

  void StartOver() {
    if (++restarts_ > kLoadRestartsMax) {
      return Finish(log::DataLoss(showtime_, loaded_.state.revision().Next(),
                                  "there is a gap between the snapshot and the records"));
    }
    Start();
  }

  const std::shared_ptr<Context> context_;
  base::Executor& executor_;
  const domain::ShowtimeId showtime_;
  Done done_;
  Loaded loaded_;
  log::Chain chain_{};  // of loaded_.state's last record
  int restarts_ = 0;
};

}  // namespace

void LoadShowtime(std::shared_ptr<Context> context, base::Executor& executor,
                  domain::ShowtimeId showtime,
                  absl::AnyInvocable<void(absl::StatusOr<Loaded>) &&> done) {
  std::make_shared<Load>(std::move(context), executor, std::move(showtime), std::move(done))
      ->Start();
}

}  // namespace seatlock::engine

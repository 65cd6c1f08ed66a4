#include "services/seatlock/engine/loader.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/seatlock/engine/limits.h"
#include "services/seatlock/log/codec/record_codec.h"

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
    if (result->snapshot) {
      auto parts = log::DecodeSnapshot(result->snapshot->bytes);
      if (!parts.ok()) return Finish(parts.status());
      auto state = domain::Showtime::Restore(*std::move(parts));
      if (!state.ok()) return Finish(absl::DataLossError(state.status().ToString()));
      if (state->revision() != result->snapshot->head.revision) {
        return Finish(absl::DataLossError("a snapshot is not of the revision it is kept under"));
      }
      loaded_.state = *std::move(state);
      loaded_.snapshot = result->snapshot->head.revision;
    }
    OnPage(std::move(result->tail));
  }

  void OnPage(absl::StatusOr<log::Page> page) {
    if (!page.ok()) return Finish(page.status());
    for (const log::StoredRecord& record : page->records) {
      absl::Status status = ApplyRecord(record);
      if (!status.ok()) return Finish(status);
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

  absl::Status ApplyRecord(const log::StoredRecord& record) {
    auto change = log::DecodeChange(record.bytes);
    if (!change.ok()) return change.status();
    if (change->revision != loaded_.state.revision().Next() ||
        record.revision != change->revision) {
      return absl::DataLossError(
          absl::StrCat("revision ", record.revision.value(), " holds a record of another"));
    }
    return loaded_.state.TryApply(*change);
  }

  void StartOver() {
    if (++restarts_ > kLoadRestartsMax) {
      return Finish(absl::DataLossError("there is a gap between the snapshot and the records"));
    }
    Start();
  }

  const std::shared_ptr<Context> context_;
  base::Executor& executor_;
  const domain::ShowtimeId showtime_;
  Done done_;
  Loaded loaded_;
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

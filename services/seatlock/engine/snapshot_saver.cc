#include "services/seatlock/engine/snapshot_saver.h"

#include <utility>

#include "services/seatlock/engine/limits.h"
#include "services/seatlock/engine/loader.h"
#include "services/seatlock/engine/log_call.h"
#include "services/seatlock/log/codec/record_codec.h"

namespace seatlock::engine {
namespace {

// One snapshot on its way; keeps itself alive through the callbacks that it hands out.
class Save : public std::enable_shared_from_this<Save> {
 public:
  using Done = absl::AnyInvocable<void(const absl::StatusOr<domain::Revision>&) &&>;

  Save(std::shared_ptr<Context> context, domain::ShowtimeId showtime, Done done)
      : context_(std::move(context)), showtime_(std::move(showtime)), done_(std::move(done)) {}

  void Start(std::optional<Exported> state) {
    context_->snapshots.Acquire([self = shared_from_this(), state = std::move(state)]() mutable {
      if (state) {
        self->context_->maintenance.Post(
            [self, state = *std::move(state)]() mutable { self->Store(std::move(state)); });
        return;
      }
      LoadShowtime(self->context_, self->context_->maintenance, self->showtime_,
                   [self](absl::StatusOr<Loaded> loaded) {
                     if (!loaded.ok()) return self->Finish(loaded.status());
                     self->Store({std::move(loaded->head), loaded->state.Export()});
                   });
    });
  }

 private:
  void Store(Exported state) {
    const domain::Revision revision = state.head.revision;
    log::StoredSnapshot snapshot{std::move(state.head), log::EncodeSnapshot(state.parts)};
    CallLog<absl::Status>(
        context_, context_->maintenance,
        [this, snapshot = std::move(snapshot)](auto done) mutable {
          context_->log.SaveSnapshot(showtime_, std::move(snapshot), std::move(done));
        },
        [self = shared_from_this(), revision](const absl::Status& status) {
          if (status.ok()) self->Trim();
          self->Finish(status.ok() ? absl::StatusOr<domain::Revision>(revision) : status);
        },
        absl::UnavailableError("the service is stopping"));
  }

  void Trim() {
    CallLog<absl::Status>(
        context_, context_->maintenance,
        [this](auto done) {
          context_->log.Trim(showtime_, context_->clock.NowMs() - kHistoryMs, kHistoryChanges,
                             std::move(done));
        },
        [self = shared_from_this()](const absl::Status& trimmed) {
          if (!trimmed.ok()) self->context_->observer.OnStoreError(self->showtime_, trimmed);
        },
        absl::OkStatus());
  }

  void Finish(const absl::StatusOr<domain::Revision>& saved) {
    std::move(done_)(saved);
    context_->snapshots.Release();
  }

  const std::shared_ptr<Context> context_;
  const domain::ShowtimeId showtime_;
  Done done_;
};

}  // namespace

void SaveSnapshot(std::shared_ptr<Context> context, domain::ShowtimeId showtime,
                  std::optional<Exported> state,
                  absl::AnyInvocable<void(const absl::StatusOr<domain::Revision>&) &&> done) {
  std::make_shared<Save>(std::move(context), std::move(showtime), std::move(done))
      ->Start(std::move(state));
}

}  // namespace seatlock::engine

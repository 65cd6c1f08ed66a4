#include "services/seatlock/engine/lister.h"

#include <algorithm>
#include <deque>
#include <string>
#include <utility>

#include "services/seatlock/engine/actor.h"
#include "services/seatlock/engine/failures.h"
#include "services/seatlock/engine/limits.h"
#include "services/seatlock/engine/log_call.h"
#include "services/seatlock/engine/registry.h"

namespace seatlock::engine {
namespace {

static_assert(kListIdsMax <= log::kListedMax);

// One page under way; keeps itself alive through the callbacks that it hands out. Each step runs on
// the background executor, and one step follows the other: no lock is needed.
class Listing : public std::enable_shared_from_this<Listing> {
 public:
  using Ids = absl::StatusOr<std::vector<log::ListedShowtime>>;

  Listing(std::shared_ptr<Context> context, std::shared_ptr<Registry> registry, ListQuery query)
      : context_(std::move(context)), registry_(std::move(registry)), query_(std::move(query)) {
    page_.last = query_.after;
  }

  void Start() {
    if (context_->draining) return std::move(query_.fail)(Draining());
    ++context_->pending[Lane::kReading];
    if (context_->HasTooManyPending(Lane::kReading)) {
      --context_->pending[Lane::kReading];
      return std::move(query_.fail)(Full("waiting calls"));
    }
    context_->lists.Acquire([self = shared_from_this()] {
      self->started_ms_ = self->context_->clock.MonotonicMs();
      self->StepLater();
    });
  }

 private:
  void StepLater() {
    context_->background.Post([self = shared_from_this()] { self->Step(); });
  }

  void Step() {
    if (query_.cancelled && query_.cancelled()) {
      return Fail({Failure::Kind::kCancelled, "the caller has gone"});
    }
    if (context_->draining && page_.showtimes.empty()) return Fail(Draining());
    if (ids_.empty() && is_last_) return Finish(/*more=*/false);
    if (MustEnd()) return Finish(/*more=*/true);
    if (ids_.empty()) return FetchIds();
    if (page_.showtimes.size() == query_.limit) return Finish(/*more=*/true);
    log::ListedShowtime next = std::move(ids_.front());
    ids_.pop_front();
    page_.last = next.showtime;
    ReadState(next);
  }

  // Whether the page ends with what it has, full or not. One that has nothing goes on.
  bool MustEnd() const {
    const bool late = context_->clock.MonotonicMs() - started_ms_ >= kListPageMs;
    return !page_.showtimes.empty() && (late || context_->draining);
  }

  // One more than the page takes, to know whether more follow.
  void FetchIds() {
    const uint64_t returns = context_->log.Returns();
    if (!context_->tries.loads.May(context_->clock.MonotonicMs(), returns)) {
      return Fail({Failure::Kind::kStoreUnavailable, "the store cannot be used now"});
    }
    const size_t wanted = std::min(query_.limit - page_.showtimes.size() + 1, kListIdsMax);
    CallLog<Ids>(
        context_, context_->background,
        [this, wanted](auto done) { context_->log.List(page_.last, wanted, std::move(done)); },
        [self = shared_from_this(), wanted, returns](Ids ids) {
          self->OnIds(std::move(ids), wanted, returns);
        },
        absl::UnavailableError("the service is stopping"));
  }

  void OnIds(Ids ids, size_t wanted, uint64_t returns) {
    if (!ids.ok()) {
      if (absl::IsUnavailable(ids.status())) {
        context_->tries.loads.OnFailure(context_->clock.MonotonicMs(), returns);
      }
      Failure failure = StoreUnavailable(ids.status());
      // It is the store that is damaged, and no showtime that one could name.
      if (failure.kind == Failure::Kind::kDamaged) failure.kind = Failure::Kind::kStoreUnavailable;
      return Fail(std::move(failure));
    }
    context_->tries.loads.OnSuccess();
    is_last_ = ids->size() < wanted;
    ids_.assign(std::make_move_iterator(ids->begin()), std::make_move_iterator(ids->end()));
    Step();
  }

  void ReadState(const log::ListedShowtime& listed) {
    while (true) {
      const std::shared_ptr<Actor> actor = registry_->Find(listed.showtime);
      if (!actor) return Fail(Full("showtimes"));
      Query query = QueryFor(listed);
      if (actor->Read(query)) return;
    }
  }

  Query QueryFor(const log::ListedShowtime& listed) {
    Query query;
    query.is_passing = true;
    query.read = [self = shared_from_this(), listed](const View& view) -> base::Task {
      Summary summary{.showtime = listed.showtime,
                      .position = {view.epoch, view.state.revision()},
                      .last_commit_ms = view.state.commit_ms(),
                      .seats = view.state.CountsAt(view.now_ms),
                      .closed = view.state.closed()};
      return [self, summary = std::move(summary)]() mutable { self->Add(std::move(summary)); };
    };
    query.fail = [self = shared_from_this(), listed](Failure failure) {
      if (failure.kind != Failure::Kind::kDamaged) return self->FailLater(std::move(failure));
      self->Add(
          {.showtime = listed.showtime,
           .position = {Context::PublicEpoch(listed.head.epoch, self->context_->log.Generation()),
                        listed.head.revision},
           .last_commit_ms = listed.last_commit_ms,
           .seats = std::nullopt});
    };
    return query;
  }

  // On whatever thread the actor answers.
  void Add(Summary summary) {
    context_->background.Post([self = shared_from_this(), summary = std::move(summary)]() mutable {
      // It was deleted since the log named it.
      const bool never_was = summary.seats && summary.position.revision.value() == 0;
      if (!never_was) self->page_.showtimes.push_back(std::move(summary));
      self->Step();
    });
  }
  void FailLater(Failure failure) {
    context_->background.Post([self = shared_from_this(), failure = std::move(failure)]() mutable {
      self->Fail(std::move(failure));
    });
  }

  void Finish(bool more) {
    page_.more = more;
    Leave();
    std::move(query_.done)(std::move(page_));
  }
  void Fail(Failure failure) {
    Leave();
    std::move(query_.fail)(std::move(failure));
  }
  void Leave() {
    --context_->pending[Lane::kReading];
    context_->lists.Release();
  }

  const std::shared_ptr<Context> context_;
  const std::shared_ptr<Registry> registry_;
  ListQuery query_;
  SummaryPage page_;
  std::deque<log::ListedShowtime> ids_;
  bool is_last_ = false;
  int64_t started_ms_ = 0;
};

}  // namespace

void ListShowtimes(std::shared_ptr<Context> context, std::shared_ptr<Registry> registry,
                   ListQuery query) {
  std::make_shared<Listing>(std::move(context), std::move(registry), std::move(query))->Start();
}

}  // namespace seatlock::engine

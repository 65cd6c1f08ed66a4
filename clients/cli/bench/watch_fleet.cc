#include "clients/cli/bench/watch_fleet.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clients/cli/bench/limits.h"
#include "clients/cpp/backoff.h"
#include "clients/cpp/bearer.h"
#include "seatlock/call_error.h"

namespace seatlock::cli::bench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr milliseconds kTick(5);
constexpr milliseconds kPauseFirst(100);
constexpr milliseconds kPauseMax(2'000);

int64_t WallUs() {
  return std::chrono::duration_cast<microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

int64_t ToUs(const google::protobuf::Timestamp& time) {
  return time.seconds() * 1'000'000 + time.nanos() / 1'000;
}

}  // namespace

struct WatchFleet::Watcher {
  enum class State { kWaiting, kOpen, kOver };

  Watcher(uint32_t the_showtime, std::shared_ptr<client::Servers> the_servers,
          Clock::time_point the_due)
      : showtime(the_showtime), servers(std::move(the_servers)), due(the_due), open_at(the_due) {}

  const uint32_t showtime;
  const std::shared_ptr<client::Servers> servers;
  const Clock::time_point due;  // when it is to be opened for the first time

  base::Mutex mu;
  State state ABSL_GUARDED_BY(mu) = State::kWaiting;
  Clock::time_point open_at ABSL_GUARDED_BY(mu);
  client::Backoff backoff ABSL_GUARDED_BY(mu){kPauseFirst, kPauseMax};
  bool cut ABSL_GUARDED_BY(mu) = false;  // on purpose
  Stream* stream ABSL_GUARDED_BY(mu) = nullptr;
  StreamCheck check ABSL_GUARDED_BY(mu);
  std::string epoch ABSL_GUARDED_BY(mu);
};

// One RPC. Deletes itself when it is over.
class WatchFleet::Stream final : public grpc::ClientReadReactor<v1::WatchShowtimeResponse> {
 public:
  Stream(WatchFleet& fleet, Watcher& watcher) : fleet_(fleet), watcher_(watcher) {}

  // Under watcher.mu.
  void Begin() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    request_.set_showtime_id(fleet_.names_.Showtime(watcher_.showtime));
    if (watcher_.check.heard()) {
      request_.mutable_resume()->set_epoch(watcher_.epoch);
      request_.mutable_resume()->set_revision(watcher_.check.revision());
    }
    server_ = watcher_.servers->Choose(request_.showtime_id()).server;
    opened_wall_us_ = WallUs();
    client::AddBearer(client::TokenOf(fleet_.options_.token), &context_);
    server_->stub->async()->WatchShowtime(&context_, &request_, this);
    StartRead(&message_);
    StartCall();
  }
  void Cut() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    Take();
    StartRead(&message_);
  }

  void OnDone(const grpc::Status& status) override {
    WatchFleet& fleet = fleet_;
    const bool stopping = fleet.stopping_;
    bool cut = false;
    {
      base::MutexLock lock(watcher_.mu);
      cut = watcher_.cut;
      watcher_.stream = nullptr;
      watcher_.cut = false;
      watcher_.state = stopping ? Watcher::State::kOver : Watcher::State::kWaiting;
      watcher_.open_at = Clock::now() + (cut ? milliseconds(0) : watcher_.backoff.Next());
    }
    if (!cut && !stopping) NoteLoss(status);
    base::MutexLock lock(fleet.mu_);
    if (cut) ++fleet.found_.resumed;
    --fleet.open_;
    fleet.ended_.NotifyAll();
    delete this;
  }

 private:
  // What there is to note of one message once the watcher's lock is left.
  struct Note {
    bool first = false;
    bool change = false;
    int64_t committed_us = 0;
  };

  void Take() {
    const int64_t now_us = WallUs();
    Note note;
    {
      base::MutexLock lock(watcher_.mu);
      note.first = !watcher_.check.heard();
      TakeLocked(&note);
      watcher_.backoff.Reset();
    }
    watcher_.servers->Answered(*server_);
    if (note.first) ++fleet_.connected_;
    if (note.change) ++fleet_.changes_;
    if (!note.first && !note.change) return;
    base::MutexLock lock(fleet_.mu_);
    Followers& found = fleet_.found_;
    if (note.first) {
      found.connect.Add(
          std::chrono::duration_cast<microseconds>(Clock::now() - watcher_.due).count());
    }
    if (!note.change) return;
    if (note.committed_us < opened_wall_us_) {
      ++found.late_messages;
    } else {
      if (note.committed_us > now_us) ++found.early_messages;
      found.delays.Add(now_us - note.committed_us);
    }
  }

  void TakeLocked(Note* note) ABSL_EXCLUSIVE_LOCKS_REQUIRED(watcher_.mu) {
    StreamCheck& check = watcher_.check;
    if (message_.has_snapshot()) {
      const v1::ShowtimeSnapshot& snapshot = message_.snapshot();
      if (snapshot.more()) return;
      check.Snapshot(snapshot.revision(), snapshot.epoch() != watcher_.epoch);
      watcher_.epoch = snapshot.epoch();
    } else if (message_.has_change()) {
      note->change = check.Change(message_.change().revision(), false);
      note->committed_us = ToUs(message_.change().commit_time());
      watcher_.epoch = message_.change().epoch();
    } else if (message_.has_progress()) {
      check.At(message_.progress().revision());
      watcher_.epoch = message_.progress().epoch();
    }
  }

  void NoteLoss(const grpc::Status& status) {
    const client::CallError error =
        client::ErrorOf(client::MakeStatus(static_cast<absl::StatusCode>(status.error_code()),
                                           status.error_message(), status.error_details()));
    watcher_.servers->Failed(*server_, error.retry_after.value_or(milliseconds(0)));
    base::MutexLock lock(fleet_.mu_);
    ++fleet_.found_.lost;
    fleet_.found_.AddFailure(
        absl::StrCat("a stream ended: ", error.reason, error.reason.empty() ? "" : ": ",
                     error.message.empty() ? absl::StatusCodeToString(error.code) : error.message));
  }

  WatchFleet& fleet_;
  Watcher& watcher_;
  grpc::ClientContext context_;
  v1::WatchShowtimeRequest request_;
  v1::WatchShowtimeResponse message_;
  std::shared_ptr<const client::Server> server_;
  int64_t opened_wall_us_ = 0;
};

WatchFleet::WatchFleet(const Options& options, const Names& names, Connections connections)
    : options_(options),
      names_(names),
      connections_(std::move(connections)),
      start_(Clock::now()),
      cut_at_(start_) {
  for (int64_t i = 0; i < options_.watchers; ++i) {
    watchers_.push_back(
        std::make_unique<Watcher>(static_cast<uint32_t>(i % options_.showtimes),
                                  connections_[static_cast<size_t>(i) % connections_.size()],
                                  start_ + microseconds(i * 1'000'000 / options_.ramp)));
  }
  thread_ = std::thread([this] { Loop(); });
}

WatchFleet::~WatchFleet() {
  Stop();
}

void WatchFleet::Loop() {
  while (!stopping_) {
    const Clock::time_point now = Clock::now();
    OpenDue(now);
    CutSome(now);
    std::this_thread::sleep_until(now + kTick);
  }
}

void WatchFleet::OpenDue(Clock::time_point now) {
  for (const std::unique_ptr<Watcher>& watcher : watchers_) {
    base::MutexLock lock(watcher->mu);
    if (watcher->state == Watcher::State::kWaiting && watcher->open_at <= now) Open(*watcher);
  }
}

void WatchFleet::Open(Watcher& watcher) {
  {
    base::MutexLock lock(mu_);
    ++open_;
  }
  watcher.state = Watcher::State::kOpen;
  watcher.stream = new Stream(*this, watcher);
  watcher.stream->Begin();
}

// So many a second, each a random one.
void WatchFleet::CutSome(Clock::time_point now) {
  const double seconds = std::chrono::duration<double>(now - cut_at_).count();
  cut_at_ = now;
  if (!cutting_) return;
  cuts_due_ += seconds * static_cast<double>(options_.watchers * options_.reconnect_percent) / 100;
  for (; cuts_due_ >= 1; --cuts_due_) {
    Watcher& watcher = *watchers_[random_() % watchers_.size()];
    base::MutexLock lock(watcher.mu);
    if (watcher.stream == nullptr || watcher.cut) continue;
    watcher.cut = true;
    watcher.stream->Cut();
  }
}

bool WatchFleet::AllHave(const std::vector<uint64_t>& revisions) {
  return std::all_of(watchers_.begin(), watchers_.end(), [&](const auto& watcher) {
    base::MutexLock lock(watcher->mu);
    return watcher->check.heard() && watcher->check.revision() >= revisions[watcher->showtime];
  });
}

void WatchFleet::Stop() {
  if (stopping_.exchange(true)) return;
  thread_.join();
  for (const std::unique_ptr<Watcher>& watcher : watchers_) {
    base::MutexLock lock(watcher->mu);
    if (watcher->stream != nullptr) watcher->stream->Cut();
  }
  base::MutexLock lock(mu_);
  while (open_ > 0) ended_.Wait(mu_);
}

Followers WatchFleet::Finish(const std::vector<uint64_t>& revisions,
                             std::chrono::milliseconds patience) {
  cutting_ = false;
  const Clock::time_point end = Clock::now() + patience;
  while (!AllHave(revisions) && Clock::now() < end) std::this_thread::sleep_for(kTick);
  Stop();
  Followers found;
  {
    base::MutexLock lock(mu_);
    found = found_;
  }
  for (const std::unique_ptr<Watcher>& watcher : watchers_) {
    base::MutexLock lock(watcher->mu);
    found.Add(watcher->check, revisions[watcher->showtime]);
  }
  return found;
}

}  // namespace seatlock::cli::bench

#include "services/seatlock/log/redis/redis_store.h"

#include <hiredis/hiredis.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/seatlock/log/redis/functions.h"
#include "services/seatlock/log/redis/keys.h"
#include "services/seatlock/log/redis/replies.h"

namespace seatlock::log {
namespace {

// Before the first answer nobody knows the generation; it is never empty.
constexpr char kNoGeneration[] = "0000000000000000";

absl::Status QueueFull() {
  return absl::ResourceExhaustedError("too much waits for the store");
}

// Half of `ms` to all of it.
int64_t Jittered(int64_t ms, uint32_t& dice) {
  dice = dice * 1664525 + 1013904223;  // Numerical Recipes; servers need not agree on it
  return ms / 2 + static_cast<int64_t>(dice >> 8) % (ms / 2 + 1);
}

}  // namespace

RedisStore::RedisStore(RedisOptions options)
    : options_(std::move(options)),
      loop_(*options_.clock),
      why_not_(absl::UnavailableError("redis: not connected yet")),
      finder_(loop_, options_),
      servers_(loop_, options_),
      pause_ms_(kRedisReconnectMinMs),
      dice_(static_cast<uint32_t>(reinterpret_cast<uintptr_t>(this) >> 4) ^
            static_cast<uint32_t>(options_.clock->MonotonicUs())),
      generation_(kNoGeneration) {
  loop_.Post([this] {
    Seek();
    Tick();
  });
  thread_ = std::thread([this] {
    // hiredis writes to sockets that the other side may have closed.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    loop_.Run();
  });
}

RedisStore::~RedisStore() {
  loop_.Post([this] { Close(); });
  loop_.Stop();
  thread_.join();
}

void RedisStore::Close() {
  SetState(State::kClosed, absl::UnavailableError("the store is being closed"));
  session_.reset();  // answers what is under way
}

void RedisStore::SetState(State state, const absl::Status& why) {
  if (state_ == State::kClosed) return;
  const bool was_serving = state_ == State::kServing;
  state_ = state;
  why_not_ = why;
  if (state == State::kServing) {
    healthy_ = true;
    finder_.Follow(found_);
    returns_.fetch_add(was_serving ? 0 : 1);
    pause_ms_ = kRedisReconnectMinMs;
    outage_.Served(options_.clock->MonotonicMs());
    TellFirst(absl::OkStatus());
    return;
  }
  if (was_serving) {
    // Until more is known: the reason of the outage before says nothing of this one.
    base::MutexLock lock(mu_);
    reason_ = ForOperators(why, options_.password);
  }
  healthy_ = false;
  if (!why.ok()) RefuseWaiting(why);
}

void RedisStore::Tick() {
  if (state_ == State::kClosed) return;
  loop_.RunAfter(kRedisTickMs, [this] { Tick(); });
  if (outage_.Tick(options_.clock->MonotonicMs()) && options_.on_served) options_.on_served();
  finder_.CheckSilence();
  servers_.CheckSilence();
  if (session_ == nullptr) return;
  session_->CheckSilence();
  const int64_t now = options_.clock->MonotonicMs();
  if (state_ == State::kSeeking) {
    if (now - session_ms_ >= kRedisPrepareMs) {
      session_->End(absl::UnavailableError("redis: connecting takes too long"));
    }
    return;
  }
  if (state_ == State::kServing) served_ms_ = now;
  if (finder_.has_others() && now - served_ms_ >= kRedisCheckingMs) {
    // A primary that was cut off is not told that there is another one.
    return session_->End(why_not_);
  }
  if (now - looked_ms_ >= kRedisProbeMs) {
    looked_ms_ = now;
    session_->Look();
  }
  ProbeIfDue();
}

// --- seeking ------------------------------------------------------------------------------------

void RedisStore::Seek() {
  finder_.Find([this](absl::StatusOr<PrimaryFinder::Found> found) { OnFound(std::move(found)); });
}

void RedisStore::OnFound(absl::StatusOr<PrimaryFinder::Found> found) {
  if (state_ == State::kClosed) return;
  if (!found.ok()) return SeekAgain(found.status());
  session_ms_ = options_.clock->MonotonicMs();
  Session::Handlers handlers;
  handlers.judge = [this](const RedisFacts& facts) { return JudgeServer(facts); };
  handlers.on_prepared = [this] { OnPrepared(); };
  handlers.on_lost = [this](absl::Status why) { OnSessionLost(std::move(why)); };
  handlers.on_hint = [this](const std::string& showtime) {
    base::MutexLock lock(hint_mu_);
    if (hint_) hint_(showtime);
  };
  found_ = *found;
  session_ = std::make_unique<Session>(loop_, options_, *std::move(found), std::move(handlers));
}

absl::Status RedisStore::JudgeServer(const RedisFacts& facts) {
  replicas_seen_ = static_cast<int64_t>(ReplicasOf(facts).size());
  const auto role = facts.info.find("role");
  if (finder_.has_others() && role != facts.info.end() && role->second != "master") {
    return absl::NotFoundError(absl::StrCat("redis ", facts.address.host, ":", facts.address.port,
                                            ": is a replica, not the primary"));
  }
  return servers_.Judge(facts);
}

void RedisStore::OnPrepared() {
  looked_ms_ = served_ms_ = options_.clock->MonotonicMs();
  SetState(State::kChecking, absl::UnavailableError("redis: connected, not checked yet"));
  judged_ms_ = 0;
  ProbeIfDue();
}

void RedisStore::OnSessionLost(absl::Status why) {
  if (state_ == State::kClosed) return;
  SetState(State::kSeeking, absl::UnavailableError(why.message()));
  // It may be in the midst of one of its callbacks.
  loop_.Post([this, why = std::move(why)] {
    session_.reset();
    SeekAgain(why);
  });
}

void RedisStore::SeekAgain(const absl::Status& why) {
  if (state_ == State::kClosed) return;
  if (!absl::IsNotFound(why)) {
    replicas_met_ = 0;
    TellError(why);
  } else if (++replicas_met_ >= (options_.sentinel.empty() ? options_.addresses.size() : 1)) {
    // Before, it is one of the addresses that are no primary, as all but one should be.
    TellError(absl::UnavailableError(absl::StrCat(
        why.message(), options_.sentinel.empty() ? ", and so are all addresses" : "")));
  }
  SetState(State::kSeeking, absl::UnavailableError(why.message()));
  loop_.RunAfter(Jittered(pause_ms_, dice_), [this] {
    if (state_ == State::kSeeking) Seek();
  });
  pause_ms_ = std::min(2 * pause_ms_, kRedisReconnectMaxMs);
}

// --- writing ------------------------------------------------------------------------------------

bool RedisStore::Take(size_t weight) {
  if (bytes_.fetch_add(weight) + weight <= options_.queue_bytes_max) return true;
  bytes_.fetch_sub(weight);
  return false;
}

void RedisStore::Write(size_t lane, std::unique_ptr<WriteCall> call) {
  if (!Take(call->weight())) {
    return call->Finish(WriteCall::End::kNotSent, "", QueueFull());
  }
  loop_.Post([this, lane, call = std::move(call)]() mutable { OnWrite(lane, std::move(call)); });
}

void RedisStore::OnWrite(size_t lane, std::unique_ptr<WriteCall> call) {
  if (state_ != State::kServing) return Finish(*call, WriteCall::End::kNotSent, why_not_);
  lanes_[lane].waiting.push_back(std::move(call));
  PumpSoon(lane);
}

void RedisStore::PumpSoon(size_t lane) {
  if (lanes_[lane].pump_posted || lanes_[lane].under_way != nullptr) return;
  // After all that was posted till now: it goes out together.
  lanes_[lane].pump_posted = true;
  loop_.Post([this, lane] {
    lanes_[lane].pump_posted = false;
    Pump(lane);
  });
}

void RedisStore::Pump(size_t lane) {
  std::deque<std::unique_ptr<WriteCall>>& waiting = lanes_[lane].waiting;
  if (state_ != State::kServing || lanes_[lane].under_way != nullptr || waiting.empty()) return;
  auto pipeline = std::make_shared<Pipeline>();
  size_t bytes = 0;
  while (!waiting.empty() && pipeline->calls.size() < kPipelineCallsMax &&
         bytes < kPipelineBytesMax) {
    bytes += waiting.front()->weight();
    pipeline->calls.push_back(std::move(waiting.front()));
    waiting.pop_front();
  }
  SendPipeline(lane, std::move(pipeline));
}

void RedisStore::SendPipeline(size_t lane, std::shared_ptr<Pipeline> pipeline) {
  lanes_[lane].under_way = pipeline;
  pipeline->view = view_;
  pipeline->view_number = view_number_;
  pipeline->sent_us = options_.clock->MonotonicUs();
  Connection& connection = session_->lane(lane);
  for (size_t i = 0; i < pipeline->calls.size(); ++i) {
    WriteCall* const call = pipeline->calls[i].get();
    connection.Send(call->TakeCommand(), [pipeline, call](const redisReply* reply) {
      if (reply == nullptr) return;
      if (IsHalfway(TextOf(*reply))) pipeline->halfway = ErrorOf(*reply);
      call->Heard(*reply);
    });
  }
  SendEnd(lane, pipeline);
}

void RedisStore::SendEnd(size_t lane, const std::shared_ptr<Pipeline>& pipeline) {
  Connection& connection = session_->lane(lane);
  const int64_t wanted = std::max<int64_t>(options_.replicas, connected_replicas_);
  pipeline->ending = wanted > 0 ? Ending::kBarrier : EndingOf(*pipeline);
  Command last = pipeline->ending == Ending::kLook ? Command{"FCALL_RO", kFnLook}
                                                   : Command{"FCALL", kFnBarrier};
  last.Add("1").Add(InstallationKey(options_.prefix));
  if (pipeline->ending != Ending::kLook) {
    last.Add(pipeline->ending == Ending::kBarrierIfChanged ? "if_changed" : "");
    last.Add(view_.installation).Add(absl::StrCat(view_.counter));
  }
  connection.Send(std::move(last), [this, pipeline](const redisReply* reply) {
    if (reply == nullptr) return;
    ReadBarrier(*reply, pipeline->end);
    pipeline->end.time.sent_us = pipeline->sent_us;
    pipeline->end.time.received_us = options_.clock->MonotonicUs();
  });
  if (options_.profile == RedisProfile::kStrict && wanted > 0) {
    connection.Send(Command{"WAIT"}.Add(wanted).Add(kRedisWaitMs),
                    [pipeline](const redisReply* reply) {
                      if (reply == nullptr || reply->type != REDIS_REPLY_INTEGER) return;
                      pipeline->end.acknowledged = reply->integer;
                    });
  }
  connection.Send(Command{"INFO", "replication"}, [this, lane, pipeline](const redisReply* reply) {
    if (reply != nullptr) {
      pipeline->end.replication = ErrorOf(*reply);
      ReadReplication(TextOf(*reply), pipeline->end);
    }
    OnPipelineEnd(lane, *pipeline, reply != nullptr);
  });
}

// If no replica is waited for, what has changed nothing needs no write at its end: Redis syncs what
// others wrote before it answers. Without that write and its fsync a server answered 10,900 reads a
// second in place of 3,900; what it gave to servers that contend for a showtime is in ADR 0024.
// Once a second it writes all the same, to see that it can.
RedisStore::Ending RedisStore::EndingOf(const Pipeline& pipeline) const {
  const bool probe = options_.clock->MonotonicMs() - judged_ms_ >= kRedisProbeMs;
  if (probe || pipeline.calls.empty()) return Ending::kBarrier;
  const bool writes = std::any_of(pipeline.calls.begin(), pipeline.calls.end(),
                                  [](const auto& call) { return call->writes(); });
  return writes ? Ending::kBarrierIfChanged : Ending::kLook;
}

void RedisStore::OnPipelineEnd(size_t lane, Pipeline& pipeline, bool whole) {
  lanes_[lane].under_way = nullptr;
  Verdict verdict{.kind = Verdict::Kind::kNotReady,
                  .why = absl::UnavailableError("redis: the connection was lost")};
  if (!whole) {
    // Why it was lost is about to be told, by the connection itself.
    if (state_ == State::kServing) SetState(State::kChecking, verdict.why);
  } else if (pipeline.view_number != view_number_) {
    // The other lane has met another history meanwhile. This end is older and says nothing of it.
    verdict = {.kind = Verdict::Kind::kOtherHistory,
               .why = absl::UnavailableError("the store's history has become another one")};
  } else {
    verdict = JudgePipeline(pipeline);
    // First the state and then the calls: who is told of a failure finds the log unhealthy.
    Obey(verdict, pipeline.end);
  }
  if (whole && !pipeline.halfway.ok()) EndSession(pipeline.halfway);
  const bool counts = verdict.kind == Verdict::Kind::kCounts;
  const auto end = counts ? WriteCall::End::kCounts : WriteCall::End::kUnknown;
  if (counts) TellCommit(pipeline);
  for (auto& call : pipeline.calls) Finish(*call, end, verdict.why);
  PumpSoon(lane);
}

Verdict RedisStore::JudgePipeline(const Pipeline& pipeline) {
  // Of the others nobody knows whether they wrote.
  if (pipeline.ending == Ending::kBarrier) judged_ms_ = options_.clock->MonotonicMs();
  connected_replicas_ = pipeline.end.connected_replicas;
  replicas_seen_ = connected_replicas_;
  if (pipeline.end.time.store_us != 0 && options_.on_time) options_.on_time(pipeline.end.time);
  StoreView view = pipeline.view;
  view.loss = view_.loss;  // which the other lane may have met meanwhile
  return Judge(pipeline.end, view,
               {.profile = options_.profile,
                .replicas = options_.replicas,
                .promotable = servers_.Promotable(pipeline.end.replicas),
                .raises = pipeline.ending == Ending::kBarrier});
}

void RedisStore::Obey(const Verdict& verdict, const PipelineEnd& end) {
  // The session has ended, and will be let go at once: it is not gone on with.
  if (state_ == State::kSeeking && verdict.kind != Verdict::Kind::kCounts) return;
  switch (verdict.kind) {
    case Verdict::Kind::kCounts:
      view_.counter = std::max(view_.counter, end.counter);
      if (state_ == State::kChecking) SetState(State::kServing, absl::OkStatus());
      return;
    case Verdict::Kind::kOtherHistory:
      SetState(State::kChecking, verdict.why);
      SetView(ViewOf(end));
      judged_ms_ = 0;
      return ProbeIfDue();
    case Verdict::Kind::kLost:
      view_.loss = verdict.loss;
      [[fallthrough]];
    case Verdict::Kind::kNotReady:
      SetState(State::kChecking, absl::UnavailableError(verdict.why.message()));
      return TellError(verdict.why);
    case Verdict::Kind::kGone:
      return EndSession(verdict.why);
  }
}

void RedisStore::ProbeIfDue() {
  if (state_ != State::kChecking && state_ != State::kServing) return;
  const int64_t pause = state_ == State::kServing ? kRedisProbeMs : kRedisRetryProbeMs;
  if (judged_ms_ != 0 && options_.clock->MonotonicMs() - judged_ms_ < pause) return;
  // Of a lane that is busy the end tells as much.
  for (size_t lane = 0; lane < lanes_.size(); ++lane) {
    if (lanes_[lane].under_way != nullptr) return;
  }
  probe_lane_ = (probe_lane_ + 1) % kRedisLanes;
  SendPipeline(probe_lane_, std::make_shared<Pipeline>());
}

void RedisStore::Finish(WriteCall& call, WriteCall::End end, const absl::Status& why) {
  Give(call.weight());
  call.Finish(end, end == WriteCall::End::kCounts ? view_.Generation() : "", why);
}

void RedisStore::RefuseWaiting(const absl::Status& why) {
  for (Lane& lane : lanes_) {
    for (auto& call : std::exchange(lane.waiting, {})) {
      Finish(*call, WriteCall::End::kNotSent, why);
    }
  }
  for (ReadCall& call : std::exchange(reads_waiting_, {})) {
    Give(call.weight());
    std::move(call.done)(why);
  }
}

// --- reading ------------------------------------------------------------------------------------

void RedisStore::Read(ReadCall call) {
  if (!Take(call.weight())) return std::move(call.done)(QueueFull());
  loop_.Post([this, call = std::move(call)]() mutable {
    reads_waiting_.push_back(std::move(call));
    state_ == State::kServing ? PumpReads() : RefuseWaiting(why_not_);
  });
}

void RedisStore::PumpReads() {
  while (state_ == State::kServing && !reads_waiting_.empty() &&
         reads_under_way_ < kRedisReadsUnderWayMax) {
    auto call = std::make_shared<ReadCall>(std::move(reads_waiting_.front()));
    reads_waiting_.pop_front();
    ++reads_under_way_;
    auto whole = std::make_shared<bool>(true);
    for (size_t i = 0; i < call->commands.size(); ++i) {
      const bool last = i + 1 == call->commands.size();
      session_->reads().Send(call->commands[i], [this, call, whole, i,
                                                 last](const redisReply* reply) {
        if (reply != nullptr) call->heard(i, *reply);
        if (reply != nullptr && IsHalfway(TextOf(*reply))) EndSession(ErrorOf(*reply));
        *whole = *whole && reply != nullptr;
        if (!last) return;
        --reads_under_way_;
        Give(call->weight());
        std::move(call->done)(*whole ? absl::OkStatus()
                                     : absl::UnavailableError("redis: the connection was lost"));
        // Of a connection that is lost each further read would be answered within Send, one inside
        // the other: whoever waits is refused when the session ends.
        if (reply != nullptr) PumpReads();
      });
    }
  }
}

void RedisStore::Follow(std::function<void(const std::string&)> hint) {
  base::MutexLock lock(hint_mu_);
  hint_ = std::move(hint);
}

// --- telling ------------------------------------------------------------------------------------

void RedisStore::TellError(const absl::Status& error) {
  const absl::Status why = ForOperators(error, options_.password);
  {
    base::MutexLock lock(mu_);
    reason_ = why;
  }
  TellFirst(why);
  if (outage_.Failed(why) && options_.on_error) options_.on_error(why);
}

absl::Status RedisStore::WhyNot() const {
  base::MutexLock lock(mu_);
  return reason_;
}

void RedisStore::TellNotice(const std::string& what) {
  if (options_.on_notice) options_.on_notice(what);
}

// A commit as operating.md counts them: what was written, until it was known to be kept.
void RedisStore::TellCommit(const Pipeline& pipeline) {
  const auto appends =
      static_cast<size_t>(std::count_if(pipeline.calls.begin(), pipeline.calls.end(),
                                        [](const auto& call) { return call->writes(); }));
  if (appends == 0 || !options_.on_commit) return;
  options_.on_commit(appends, options_.clock->MonotonicUs() - pipeline.sent_us);
}

void RedisStore::TellFirst(const absl::Status& status) {
  base::MutexLock lock(mu_);
  if (first_is_final_) return;
  first_is_final_ = status.ok() || absl::IsFailedPrecondition(status);
  first_ = status;
  first_told_.NotifyAll();
}

absl::Status RedisStore::AwaitFirst(int64_t timeout_ms) {
  const int64_t begin_ms = options_.clock->MonotonicMs();
  base::MutexLock lock(mu_);
  while (!first_is_final_) {
    const int64_t left_ms = begin_ms - options_.clock->MonotonicMs() +
                            (first_.ok() ? timeout_ms : std::min(timeout_ms, kRedisFirstMs));
    if (left_ms <= 0) break;
    first_told_.WaitFor(mu_, std::chrono::milliseconds(left_ms));
  }
  if (!first_is_final_ && first_.ok()) return absl::UnavailableError("redis: no answer yet");
  return first_;
}

void RedisStore::SetView(StoreView view) {
  const bool first = view_.replication_id.empty();
  view_ = std::move(view);
  ++view_number_;
  {
    base::MutexLock lock(mu_);
    generation_ = view_.Generation();
  }
  if (!first)
    TellNotice(absl::StrCat("the store's history counts as another one (generation ",
                            view_.Generation(), ")"));
}

std::string RedisStore::Generation() const {
  base::MutexLock lock(mu_);
  return generation_;
}

}  // namespace seatlock::log

// One server's way to a store on Redis: finds the primary, keeps connections to it, and sends what
// others ask for. What the keys and the answers mean is redis_log.cc's.
//
//   state    | entered                      | calls   | left
//   ---------+------------------------------+---------+-----------------------------------------
//   seeking  | at first; a session has gone | refused | a session is ready
//   checking | a session is ready, or a     | refused | a probe counts, or the session goes
//            | pipeline did not count       |         |
//   serving  | a probe counts               | sent    | a pipeline does not count, or as above
//   closed   | by the destructor            | refused | never
//
// Only SetState changes the state. A probe is a pipeline without calls. While checking one is sent
// every kRedisRetryProbeMs, while serving one whenever no pipeline has counted for kRedisProbeMs.
// If there may be another primary, a session that is only checked for kRedisCheckingMs is ended.
//
// Thread-safe: the calls are handed to the store's thread, which also calls back.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "common/base/mutex.h"
#include "services/seatlock/log/redis/event_loop.h"
#include "services/seatlock/log/redis/judgement.h"
#include "services/seatlock/log/redis/limits.h"
#include "services/seatlock/log/redis/primary_finder.h"
#include "services/seatlock/log/redis/redis_options.h"
#include "services/seatlock/log/redis/server_watch.h"
#include "services/seatlock/log/redis/session.h"
#include "services/seatlock/log/redis/telling.h"

struct redisReply;

namespace seatlock::log {

// A write whose answer counts only if its pipeline does.
class WriteCall {
 public:
  enum class End {
    kCounts,   // Heard was called, and what it heard is true
    kNotSent,  // nothing was done
    kUnknown,  // sent, and nobody knows
  };

  virtual ~WriteCall() = default;

  // Its command for Redis, as bytes. Asked for once.
  virtual std::string TakeCommand() = 0;
  // What a call takes of the queue.
  virtual size_t weight() const = 0;
  // Whether it writes, or only asks.
  virtual bool writes() const = 0;
  // Redis's answer, before anybody knows whether it counts.
  virtual void Heard(const redisReply& reply) = 0;
  // The last call. `generation` only if it counts; `why` only if not.
  virtual void Finish(End end, const std::string& generation, const absl::Status& why) = 0;
};

// Commands that are sent together, and whose answers count as they come.
struct ReadCall {
  std::vector<Command> commands;
  std::function<void(size_t index, const redisReply& reply)> heard;
  // OK: `heard` was called of each.
  absl::AnyInvocable<void(absl::Status) &&> done;

  // What it takes of the queue.
  size_t weight() const {
    size_t bytes = kRedisCallOverheadBytes;
    for (const Command& command : commands) bytes += command.size();
    return bytes;
  }
};

class RedisStore {
 public:
  // Starts the thread and looks for the primary.
  explicit RedisStore(RedisOptions options);
  ~RedisStore();

  const RedisOptions& options() const { return options_; }

  // `lane`: calls of one are sent in their order.
  void Write(size_t lane, std::unique_ptr<WriteCall> call);
  void Read(ReadCall call);

  // Who is told of hints. Blocks while a hint is told.
  void Follow(std::function<void(const std::string& text)> hint);

  // Waits until the store is served (OK), is found to be set up wrongly (FAILED_PRECONDITION), or
  // has not been served for `timeout_ms`, or for kRedisFirstMs if there was an error: that. Blocks.
  absl::Status AwaitFirst(int64_t timeout_ms);

  std::string Generation() const;
  bool Healthy() const { return healthy_.load(); }
  // Why it is not served, or was not the last time, for operators; as on_error.
  absl::Status WhyNot() const;
  uint64_t Returns() const { return returns_.load(); }
  // That the primary has, as of its latest answer.
  int64_t replicas() const { return replicas_seen_.load(std::memory_order_relaxed); }
  // Of calls that wait or are under way.
  size_t queued_bytes() const { return bytes_.load(); }

 private:
  enum class State { kSeeking, kChecking, kServing, kClosed };

  // The last function of a pipeline: a write that shows that Redis takes writes, the same only if
  // an append went in, or no write.
  enum class Ending { kBarrier, kBarrierIfChanged, kLook };
  // What went out together on one lane.
  struct Pipeline {
    std::vector<std::unique_ptr<WriteCall>> calls;
    StoreView view;  // when it was sent
    Ending ending = Ending::kBarrier;
    uint64_t view_number = 0;  // the same
    int64_t sent_us = 0;
    absl::Status halfway;  // not OK: one of them failed in its midst
    PipelineEnd end;
  };
  struct Lane {
    std::deque<std::unique_ptr<WriteCall>> waiting;
    std::shared_ptr<Pipeline> under_way;
    bool pump_posted = false;
  };

  void SetState(State state, const absl::Status& why);
  void Close();
  void Tick();

  // Seeking.
  void Seek();
  void OnFound(absl::StatusOr<PrimaryFinder::Found> found);
  absl::Status JudgeServer(const RedisFacts& facts);
  void OnPrepared();
  void OnSessionLost(absl::Status why);
  void SeekAgain(const absl::Status& why);

  // Writing.
  bool Take(size_t weight);
  void Give(size_t weight) { bytes_.fetch_sub(weight); }
  void OnWrite(size_t lane, std::unique_ptr<WriteCall> call);
  void PumpSoon(size_t lane);
  void Pump(size_t lane);
  void SendPipeline(size_t lane, std::shared_ptr<Pipeline> pipeline);
  void SendEnd(size_t lane, const std::shared_ptr<Pipeline>& pipeline);
  Ending EndingOf(const Pipeline& pipeline) const;
  void OnPipelineEnd(size_t lane, Pipeline& pipeline, bool whole);
  Verdict JudgePipeline(const Pipeline& pipeline);
  // Does what the verdict says about the store.
  void Obey(const Verdict& verdict, const PipelineEnd& end);
  void ProbeIfDue();
  // After a function has failed in its midst the rights are probed anew, before the next write.
  void EndSession(const absl::Status& why) {
    if (session_ != nullptr) session_->End(why);
  }
  void Finish(WriteCall& call, WriteCall::End end, const absl::Status& why);
  void RefuseWaiting(const absl::Status& why);

  // Reading.
  void PumpReads();

  // Telling.
  void TellError(const absl::Status& error);
  void TellNotice(const std::string& what);
  void TellCommit(const Pipeline& pipeline);
  void TellFirst(const absl::Status& status);
  void SetView(StoreView view);

  const RedisOptions options_;
  EventLoop loop_;

  std::atomic<size_t> bytes_{0};  // of calls that wait or are under way
  std::atomic<bool> healthy_{false};
  std::atomic<uint64_t> returns_{0};
  std::atomic<int64_t> replicas_seen_{0};

  // The loop's thread alone.
  State state_ = State::kSeeking;
  absl::Status why_not_;  // of any state but serving
  Outage outage_;
  StoreView view_;
  uint64_t view_number_ = 0;  // how many there were
  PrimaryFinder finder_;
  PrimaryFinder::Found found_;  // the session's
  std::unique_ptr<Session> session_;
  ServerWatch servers_;
  std::array<Lane, kRedisLanes> lanes_;
  std::deque<ReadCall> reads_waiting_;
  size_t reads_under_way_ = 0;
  size_t probe_lane_ = 0;  // of the last probe: lanes take turns, so that each is known to live
  int64_t connected_replicas_ = 0;
  int64_t judged_ms_ = 0;    // when a pipeline that wrote for certain was judged last
  int64_t looked_ms_ = 0;    // when the server was asked what it says of itself
  int64_t session_ms_ = 0;   // when the session was begun
  int64_t served_ms_ = 0;    // when the store was served last, or the session was ready
  int64_t pause_ms_ = 0;     // before seeking again
  size_t replicas_met_ = 0;  // one after the other, where a primary was sought
  uint32_t dice_ = 0;

  base::Mutex hint_mu_;
  std::function<void(const std::string&)> hint_ ABSL_GUARDED_BY(hint_mu_);

  mutable base::Mutex mu_;
  base::CondVar first_told_;
  bool first_is_final_ ABSL_GUARDED_BY(mu_) = false;
  std::string generation_ ABSL_GUARDED_BY(mu_);
  absl::Status first_ ABSL_GUARDED_BY(mu_);
  absl::Status reason_ ABSL_GUARDED_BY(mu_) = absl::UnavailableError("redis: not connected yet");

  std::thread thread_;
};

}  // namespace seatlock::log

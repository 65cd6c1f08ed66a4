#include "common/runtime/watchdog.h"

#include <utility>

#include "common/runtime/logging.h"

namespace seatlock::runtime {

Watchdog::Watched Watchdog::Of(std::string name, base::Executor& executor) {
  return {std::move(name), [&executor](Answer answer) {
            executor.Post([answer = std::move(answer)]() mutable { std::move(answer)(true); });
          }};
}

Watchdog::Watched Watchdog::Of(std::string name, base::ThreadExecutor& executor) {
  Watched watched = Of(std::move(name), static_cast<base::Executor&>(executor));
  watched.finished = [&executor] { return executor.finished(); };
  return watched;
}

Watchdog::Watchdog(ServiceManager& manager, const base::Clock& clock, std::vector<Watched> watched)
    : manager_(manager), clock_(clock), pinged_ms_(clock.MonotonicMs()) {
  for (Watched& one : watched) {
    threads_.push_back(
        {std::move(one), std::make_shared<std::atomic<Question>>(Question::kNotAsked)});
  }
}

void Watchdog::Tick() {
  if (!manager_.watchdog_ms()) return;
  const int64_t now_ms = clock_.MonotonicMs();
  if (phase_ == Phase::kResting) {
    if (now_ms - pinged_ms_ < *manager_.watchdog_ms() / 4) return;
    AskAll();
    phase_ = Phase::kAsking;
  }
  bool all = true;
  for (Thread& thread : threads_) {
    if (thread.question->load() == Question::kNotAsked) Ask(thread);
    all = GotOn(thread) && all;
  }
  if (!all) return NameWhoStands(now_ms);
  manager_.Ping();
  phase_ = Phase::kResting;
  pinged_ms_ = now_ms;
  named_ = false;
}

// A question that is still in a long queue is not doubled.
void Watchdog::AskAll() {
  for (Thread& thread : threads_) {
    if (thread.watched.finished) thread.finished_before = thread.watched.finished();
    Question ran = Question::kRan;
    thread.question->compare_exchange_strong(ran, Question::kNotAsked);
  }
}

void Watchdog::Ask(Thread& thread) {
  thread.question->store(Question::kAsked);
  thread.watched.ask([question = thread.question](bool ran) {
    question->store(ran ? Question::kRan : Question::kNotAsked);
  });
}

bool Watchdog::GotOn(const Thread& thread) {
  if (thread.question->load() == Question::kRan) return true;
  return thread.watched.finished && thread.watched.finished() != thread.finished_before;
}

void Watchdog::NameWhoStands(int64_t now_ms) {
  if (named_ || now_ms - pinged_ms_ < *manager_.watchdog_ms() / 2) return;
  named_ = true;
  for (const Thread& thread : threads_) {
    if (GotOn(thread)) continue;
    LogError("a thread stands still: the service manager will end the program if that lasts",
             {{"thread", thread.watched.name}, {"no_ping_for_ms", now_ms - pinged_ms_}});
  }
}

}  // namespace seatlock::runtime

// One thread of the edge with all that is bound to it: its io_context and strand, its rooms and
// connections, its listener, what it counts. A connection stays with the worker that accepted it.
//
// Made and destroyed by whoever starts the edge; between Start() and Stop() everything lives on the
// worker's own thread. Destroyed after all workers have been stopped: what ends on one may post to
// another.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <span>
#include <thread>

#include "common/base/clock.h"
#include "edge/fanout/hub.h"
#include "edge/fanout/memory_budget.h"
#include "edge/fanout/token_gate.h"
#include "edge/stats.h"
#include "edge/ws/admission.h"
#include "edge/ws/io_strand.h"
#include "edge/ws/server.h"

namespace seatlock::edge {

class Worker {
 public:
  // What is shared by all workers, and outlives them.
  struct Shared {
    const base::Clock& clock;
    Admission& admission;
    MemoryBudget& budget;
    size_t handshakes_max;     // Of one worker.
    Tracer* tracer = nullptr;  // As Env's.
    TokenRules tokens = {};
  };

  explicit Worker(const Shared& shared);
  // Stops it where nobody did.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  boost::asio::io_context& io() { return *io_; }
  IoStrand& strand() { return strand_; }
  Stats& stats() { return stats_; }

  // Serves on `acceptor`, which is of io(). `feeds` answer on strand().
  void Start(Acceptor acceptor, std::unique_ptr<Feeds> feeds);
  // Accepts nobody any more; who is there stays. The future is ready once the listener is closed.
  // Thread-safe.
  std::future<void> StopAccepting();
  // Sends all away over `window_ms`; at the latest kDrainMsMax after that the rest is cut off.
  // After StopAccepting(). Thread-safe.
  void Drain(int64_t window_ms);
  // Waits until a drain is done: nothing of the thread's rooms and connections is left. The strand
  // still runs. Once.
  void WaitUntilDrained() { drained_.get_future().wait(); }
  // Ends the thread, and whatever lived on it. Not thread-safe.
  void Stop();

 private:
  void EndWhenEmpty(int64_t deadline_ms);
  void Clear();

  const Shared shared_;
  Stats stats_;
  // Destroyed before the context: its last handlers hold connections.
  std::unique_ptr<boost::asio::io_context> io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  IoStrand strand_;
  ServerContext context_;
  std::unique_ptr<TokenGate> tokens_;  // Null: tokens are not looked at.
  std::unique_ptr<Feeds> feeds_;
  std::unique_ptr<Hub> hub_;
  std::unique_ptr<Server> server_;
  std::promise<void> drained_;
  std::thread thread_;
};

// Connections of all of them. Thread-safe.
int64_t ConnectionsOf(std::span<const std::unique_ptr<Worker>> workers);

// Sends away everybody whom `workers` serve, over the window of limits.h, at most `window_ms_max`;
// returns once all are gone or their time is over. Nobody is told to come back before every worker
// has closed its listener: another one of this process would take him. Blocks; not on a worker's
// thread.
void DrainAll(std::span<const std::unique_ptr<Worker>> workers, int64_t window_ms_max);

}  // namespace seatlock::edge

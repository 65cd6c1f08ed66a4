#include "edge/ws/worker.h"

#include <utility>
#include <vector>

#include "edge/limits.h"

namespace seatlock::edge {

namespace {

constexpr int64_t kDrainPollMs = 20;

}  // namespace

Worker::Worker(const Shared& shared)
    : shared_(shared),
      io_(std::make_unique<boost::asio::io_context>(1)),
      work_(io_->get_executor()),
      strand_(*io_),
      context_(shared.clock, strand_, stats_, shared.admission, shared.handshakes_max) {
  context_.tracer = shared.tracer;
  if (shared.tokens.keys != nullptr) tokens_ = std::make_unique<TokenGate>(shared.tokens);
}

Worker::~Worker() {
  Stop();
  work_.reset();
  io_.reset();
}

void Worker::Start(Acceptor acceptor, std::unique_ptr<Feeds> feeds) {
  feeds_ = std::move(feeds);
  hub_ = std::make_unique<Hub>(Env{shared_.clock, strand_, strand_, *feeds_, stats_, shared_.budget,
                                   shared_.tracer, tokens_.get()});
  hub_->Start();
  server_ = std::make_unique<Server>(std::move(acceptor), context_, *hub_);
  thread_ = std::thread([this] { io_->run(); });
}

std::future<void> Worker::StopAccepting() {
  std::promise<void> stopped;
  std::future<void> future = stopped.get_future();
  strand_.Post([this, stopped = std::move(stopped)]() mutable {
    server_->StopAccepting();
    stopped.set_value();
  });
  return future;
}

void Worker::Drain(int64_t window_ms) {
  strand_.Post([this, window_ms] {
    hub_->Drain(window_ms);
    EndWhenEmpty(shared_.clock.MonotonicMs() + window_ms + kDrainMsMax);
  });
}

void Worker::EndWhenEmpty(int64_t deadline_ms) {
  if (hub_->connections() > 0 && shared_.clock.MonotonicMs() < deadline_ms) {
    strand_.After(kDrainPollMs, [this, deadline_ms] { EndWhenEmpty(deadline_ms); });
    return;
  }
  Clear();
  drained_.set_value();
}

void Worker::Clear() {
  server_.reset();
  hub_.reset();
  feeds_.reset();
}

void Worker::Stop() {
  io_->stop();
  if (thread_.joinable()) thread_.join();
  Clear();
}

int64_t ConnectionsOf(std::span<const std::unique_ptr<Worker>> workers) {
  int64_t sum = 0;
  for (const auto& worker : workers) sum += worker->stats().connections;
  return sum;
}

void DrainAll(std::span<const std::unique_ptr<Worker>> workers, int64_t window_ms_max) {
  std::vector<std::future<void>> stopped;
  for (const auto& worker : workers) stopped.push_back(worker->StopAccepting());
  for (const std::future<void>& one : stopped) one.wait();
  const int64_t window_ms = DrainWindow(ConnectionsOf(workers), window_ms_max);
  for (const auto& worker : workers) worker->Drain(window_ms);
  for (const auto& worker : workers) worker->WaitUntilDrained();
}

}  // namespace seatlock::edge

// kill -9 of the server under load, again and again: every acknowledged change is there after the
// restart, nothing that was refused is, no seat has two holders, and watchers that resume by
// position miss and repeat nothing. CheckHistory judges; its own tests feed it forged histories.
#include <gmock/gmock.h>

#include <atomic>
#include <deque>
#include <random>
#include <thread>

#include "common/base/mutex.h"
#include "tests/integration/test_server.h"
#include "tests/testing/history_checker.h"
#include "tests/testing/rounds.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/watch_stream.h"

namespace seatlock::testing {
namespace {

using Kind = Operation::Kind;
using Outcome = Operation::Outcome;

constexpr int kWorkers = 8;
constexpr int kShowtimes = 4;
constexpr int kSeats = 20;
constexpr int kAcksPerCycle = 150;
constexpr std::chrono::seconds kSettleMax{60};
constexpr size_t kOpenOrdersMax = 2;
constexpr size_t kRememberedMax = 3;

std::string ShowtimeOf(int index) {
  return "show-" + std::to_string(index);
}

// What threads tell each other: how often the server was started, how much was acknowledged.
class Progress {
 public:
  void Restarted() {
    base::MutexLock lock(mu_);
    ++starts_;
    acks_ = 0;
  }
  void Acknowledged() {
    base::MutexLock lock(mu_);
    ++acks_;
    changed_.NotifyAll();
  }
  int starts() const {
    base::MutexLock lock(mu_);
    return starts_;
  }
  // False where it takes longer than 30 s.
  bool WaitForAcks(int count) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    base::MutexLock lock(mu_);
    while (acks_ < count && std::chrono::steady_clock::now() < deadline) {
      changed_.WaitFor(mu_, std::chrono::milliseconds(100));
    }
    return acks_ >= count;
  }

 private:
  mutable base::Mutex mu_;
  base::CondVar changed_;
  int starts_ ABSL_GUARDED_BY(mu_) = 0;
  int acks_ ABSL_GUARDED_BY(mu_) = 0;
};

// One caller: locks, unlocks, books and cancels at random, retries what a crash left open with the
// same request_id, and after each restart asks again what was answered before it.
class Worker {
 public:
  Worker(int index, const std::string& address, Progress& progress, uint64_t seed)
      : index_(index), progress_(progress), client_(address), random_(seed) {
    client_.set_wait_for_ready(true);
  }

  void Run(const std::atomic<bool>& stop) {
    while (!stop && problem_.empty()) {
      Lock();
      if (progress_.starts() != starts_) AskAgain();
      while (open_orders_.size() > kOpenOrdersMax) CancelOldest();
    }
    while (!open_orders_.empty() && problem_.empty()) CancelOldest();
  }

  const std::vector<Operation>& operations() const { return operations_; }
  const std::string& problem() const { return problem_; }
  // Whether it has a problem; may be asked while it runs.
  bool objects() const { return objects_; }
  int asked_again() const { return asked_again_; }
  int retried() const { return retried_; }

 private:
  struct Remembered {
    v1::LockSeatRequest request;
    v1::LockSeatResponse response;
  };

  void Object(const std::string& problem) {
    problem_ = problem;
    objects_ = true;
  }
  int Below(int bound) { return static_cast<int>(random_() % bound); }
  std::string NextId(const char* kind) {
    return std::string(kind) + std::to_string(index_) + "-" + std::to_string(++ids_);
  }

  // Repeats `call` until the server says what became of it.
  template <typename Call>
  auto Settle(const Call& call) {
    const auto deadline = std::chrono::steady_clock::now() + kSettleMax;
    auto answer = call();
    while (std::chrono::steady_clock::now() < deadline) {
      const grpc::StatusCode code = answer.status.error_code();
      if (code != grpc::StatusCode::UNAVAILABLE && code != grpc::StatusCode::DEADLINE_EXCEEDED) {
        return answer;
      }
      ++retried_;
      answer = call();
    }
    Object("never settled: " + answer.status.error_message());
    return answer;
  }

  // Writes down how `operation` ended; whether it was acknowledged.
  bool Record(Operation operation, const grpc::Status& status, uint64_t revision) {
    const bool refused = status.error_code() == grpc::StatusCode::FAILED_PRECONDITION;
    if (!status.ok() && !refused) Object("strange status: " + status.error_message());
    operation.outcome = status.ok() ? Outcome::kAcknowledged
                        : refused   ? Outcome::kRefused
                                    : Outcome::kUnknown;
    operation.revision = revision;
    operations_.push_back(operation);
    if (status.ok()) progress_.Acknowledged();
    return status.ok();
  }

  void Lock() {
    Operation operation{.kind = Kind::kLock,
                        .showtime = ShowtimeOf(Below(kShowtimes)),
                        .seat = "A" + std::to_string(Below(kSeats)),
                        .session = NextId("s")};
    const bool short_lived = Below(4) == 0;
    const auto request =
        LockSeatRequestOf(operation.showtime, operation.seat, operation.session,
                          {.ttl_ms = short_lived ? 1000 : 600'000, .request_id = NextId("r")});
    const auto answer =
        Settle([&] { return client_.Call(&SeatLockClient::Stub::LockSeat, request); });
    if (!Record(operation, answer.status, answer.response.revision())) return;
    Remember(request, answer.response);
    if (short_lived) return;  // left to expire
    if (Below(2) == 0) {
      Unlock(operation);
    } else {
      Book(operation);
    }
  }

  void Unlock(Operation operation) {
    operation.kind = Kind::kUnlock;
    const std::string id = NextId("r");
    const auto answer = Settle(
        [&] { return client_.Unlock(operation.showtime, operation.seat, operation.session, id); });
    Record(operation, answer.status, answer.response.revision());
  }

  void Book(Operation operation) {
    operation.kind = Kind::kBook;
    operation.order = NextId("o");
    const BookOptions options{.request_id = NextId("r"), .only_held = true};
    const auto answer = Settle([&] {
      return client_.Book(operation.showtime, {operation.seat}, operation.session, operation.order,
                          options);
    });
    if (Record(operation, answer.status, answer.response.revision())) {
      open_orders_.push_back(operation);
    }
  }

  void CancelOldest() {
    Operation operation = open_orders_.front();
    open_orders_.pop_front();
    operation.kind = Kind::kCancel;
    const CancelOptions options{.request_id = NextId("r")};
    const auto answer =
        Settle([&] { return client_.Cancel(operation.showtime, {}, operation.order, options); });
    Record(operation, answer.status, answer.response.revision());
  }

  void Remember(const v1::LockSeatRequest& request, v1::LockSeatResponse response) {
    response.clear_server_time();
    remembered_.push_back({request, response});
    if (remembered_.size() > kRememberedMax) remembered_.pop_front();
  }

  // The same request_id gives the same answer, whatever happened to the seat and the server.
  void AskAgain() {
    starts_ = progress_.starts();
    for (const Remembered& known : remembered_) {
      auto answer =
          Settle([&] { return client_.Call(&SeatLockClient::Stub::LockSeat, known.request); });
      answer.response.clear_server_time();
      if (!answer.ok() ||
          answer.response.SerializeAsString() != known.response.SerializeAsString()) {
        Object("asked again: " + answer.status.error_message() + " " +
               answer.response.ShortDebugString() + ", not " + known.response.ShortDebugString());
      }
      ++asked_again_;
    }
  }

  const int index_;
  Progress& progress_;
  SeatLockClient client_;
  std::mt19937_64 random_;
  int ids_ = 0;
  int starts_ = 1;
  int asked_again_ = 0;
  int retried_ = 0;
  std::deque<Operation> open_orders_;
  std::deque<Remembered> remembered_;
  std::vector<Operation> operations_;
  std::string problem_;
  std::atomic<bool> objects_ = false;
};

// Follows one showtime through every crash, resuming by position.
class Follower {
 public:
  Follower(std::string showtime, const std::string& address)
      : showtime_(std::move(showtime)), client_(address) {}

  // Ends once the view stands at `last_revision`, which is 0 until it is known.
  void Run() {
    while (problem_.empty() && !Done()) {
      const bool fresh = view_.revision() == 0;
      WatchStream watch(client_.stub(), showtime_,
                        fresh ? std::nullopt : std::make_optional(view_.position()));
      while (problem_.empty() && !Done()) {
        const auto message = watch.Next(std::chrono::milliseconds(100));
        if (!message.has_value()) {
          if (watch.WaitForEnd(std::chrono::milliseconds(0)).has_value()) break;
          continue;
        }
        const absl::Status status = view_.Apply(*message);
        if (!status.ok()) problem_ = std::string(status.message());
        revision_ = view_.revision();
        opened_ = true;
      }
      ++streams_;
    }
  }

  void FinishAt(uint64_t revision) { last_revision_ = revision; }
  void GiveUp() { given_up_ = true; }
  bool opened() const { return opened_; }
  uint64_t revision() const { return revision_; }
  // After Run.
  const ShowtimeView& view() const { return view_; }
  const std::string& problem() const { return problem_; }
  int streams() const { return streams_; }

 private:
  bool Done() const {
    return given_up_ || (last_revision_ > 0 && view_.revision() >= last_revision_);
  }

  const std::string showtime_;
  SeatLockClient client_;
  ShowtimeView view_;
  std::string problem_;
  int streams_ = 0;
  std::atomic<uint64_t> revision_ = 0;
  std::atomic<bool> opened_ = false;
  std::atomic<uint64_t> last_revision_ = 0;
  std::atomic<bool> given_up_ = false;
};

bool WaitUntil(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

class Kill9Test : public ::testing::Test {
 protected:
  explicit Kill9Test(const std::string& store = "") : server_({}, store) {}

  void SetUp() override {
    ASSERT_THAT(server_.Start(), IsOk());
    progress_.Restarted();
    for (int i = 0; i < kShowtimes; ++i) {
      followers_.push_back(std::make_unique<Follower>(ShowtimeOf(i), server_.address()));
      follower_threads_.emplace_back([follower = followers_.back().get()] { follower->Run(); });
    }
    for (int i = 0; i < kWorkers; ++i) {
      workers_.push_back(
          std::make_unique<Worker>(i, server_.address(), progress_, seed_ * kWorkers + i));
    }
  }
  void TearDown() override { StopAll(); }

  // Returns once every watcher has seen a first change. As they are there before it, they see the
  // whole history.
  void StartLoad() {
    for (auto& follower : followers_) ASSERT_TRUE(WaitUntil([&] { return follower->opened(); }));
    for (auto& worker : workers_) {
      worker_threads_.emplace_back([this, &worker] { worker->Run(stop_); });
    }
    for (auto& follower : followers_) {
      ASSERT_TRUE(WaitUntil([&] { return follower->revision() > 0; }));
    }
  }
  void StopLoad() {
    stop_ = true;
    for (std::thread& thread : worker_threads_) thread.join();
    worker_threads_.clear();
  }
  void StopAll() {
    StopLoad();
    for (auto& follower : followers_) follower->GiveUp();
    for (std::thread& thread : follower_threads_) thread.join();
    follower_threads_.clear();
  }

  std::vector<Operation> Operations() const {
    std::vector<Operation> all;
    for (const auto& worker : workers_) {
      all.insert(all.end(), worker->operations().begin(), worker->operations().end());
    }
    return all;
  }

  // The showtime once every lock in it has gone: nothing moves any more.
  v1::ShowtimeSnapshot AtRest(SeatLockClient& client, const std::string& showtime) {
    v1::ShowtimeSnapshot snapshot;
    WaitUntil([&] {
      snapshot = client.Get(showtime).response.snapshot();
      return snapshot.seats_size() == 0;
    });
    return snapshot;
  }

  const uint64_t seed_ = std::random_device()();
  TestServer server_;
  Progress progress_;
  std::atomic<bool> stop_ = false;
  std::vector<std::unique_ptr<Follower>> followers_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> follower_threads_;
  std::vector<std::thread> worker_threads_;
};

TEST_F(Kill9Test, LosesAndInventsNothing) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  ASSERT_NO_FATAL_FAILURE(StartLoad());
  const int cycles = Rounds(50);
  for (int cycle = 0; cycle < cycles; ++cycle) {
    ASSERT_TRUE(progress_.WaitForAcks(kAcksPerCycle + cycle * 7 % 50)) << "cycle " << cycle;
    server_.Kill();
    ASSERT_THAT(server_.Start(), IsOk()) << "cycle " << cycle;
    progress_.Restarted();
  }
  ASSERT_TRUE(progress_.WaitForAcks(kAcksPerCycle));
  StopLoad();

  SeatLockClient client(server_.address());
  std::vector<v1::ShowtimeSnapshot> ends;
  for (int i = 0; i < kShowtimes; ++i) {
    ends.push_back(AtRest(client, ShowtimeOf(i)));
    followers_[i]->FinishAt(ends.back().revision());
  }
  for (auto& follower : followers_) {
    EXPECT_TRUE(WaitUntil(
        [&] { return follower->revision() >= ends[&follower - &followers_[0]].revision(); }));
  }
  StopAll();
  const std::vector<Operation> operations = Operations();
  int asked_again = 0;
  int retried = 0;
  for (const auto& worker : workers_) {
    EXPECT_EQ(worker->problem(), "");
    asked_again += worker->asked_again();
    retried += worker->retried();
  }
  for (int i = 0; i < kShowtimes; ++i) {
    const Follower& follower = *followers_[i];
    EXPECT_EQ(follower.problem(), "");
    EXPECT_EQ(follower.view().snapshots(), 0);
    EXPECT_GT(follower.streams(), cycles);
    EXPECT_EQ(follower.view().DifferencesFrom(ends[i]), "");
    EXPECT_THAT(CheckHistory(ShowtimeOf(i), follower.view().changes(), operations), IsOk());
  }
  EXPECT_GT(asked_again, 0);
  EXPECT_GT(retried, 0);
  std::cout << cycles << " cycles, " << operations.size() << " operations, " << retried
            << " retries, " << asked_again << " asked again\n";
}

// The control: what the test above stands on must notice a server that keeps nothing.
class ForgetfulServerTest : public Kill9Test {
 protected:
  ForgetfulServerTest() : Kill9Test("memory:") {}
};

TEST_F(ForgetfulServerTest, IsFoundOut) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  ASSERT_NO_FATAL_FAILURE(StartLoad());
  ASSERT_TRUE(progress_.WaitForAcks(10 * kAcksPerCycle));
  server_.Kill();
  ASSERT_THAT(server_.Start(), IsOk());
  progress_.Restarted();

  // Who asks again gets another answer than before.
  for (auto& worker : workers_) EXPECT_TRUE(WaitUntil([&] { return worker->objects(); }));
  StopAll();
  const std::vector<Operation> operations = Operations();
  // Workers stop at their first objection, so not every showtime was asked anything again.
  int objections = 0;
  for (int i = 0; i < kShowtimes; ++i) {
    const auto& changes = followers_[i]->view().changes();
    if (!CheckHistory(ShowtimeOf(i), changes, operations).ok()) ++objections;
  }
  EXPECT_GT(objections, 0);
}

}  // namespace
}  // namespace seatlock::testing

#include "tests/bench/contestant.h"

#include <fmt/format.h>

#include <map>
#include <sstream>
#include <utility>

#include "tests/bench/watch_feed.h"
#include "tests/integration/edge/fake_service.h"
#include "tests/testing/http_get.h"
#include "tests/testing/programs.h"

namespace seatlock::bench {
namespace {

constexpr uint64_t kSeats = 500;
constexpr char kSession[] = "8d3f6c1e9b7a4250a1c2d3e4f5061728";

v1::Change ChangeOf(const SeatChange& change) {
  using testing::ChangeOf;
  return change.lock
             ? ChangeOf(v1::CHANGE_CAUSE_LOCK, {testing::LockedSeat(change.seat, kSession)})
             : ChangeOf(v1::CHANGE_CAUSE_UNLOCK, {testing::FreedSeat(change.seat, kSession)});
}

// A real edge in front of a seat service of this process.
class EdgeContestant final : public Contestant {
 public:
  absl::Status Start(const StartOptions& options) {
    for (int i = 0; i < options.locked_seats; ++i) Say(options.room, 1);
    std::vector<std::string> args = {options.edge_binary, "--listen=127.0.0.1:0",
                                     "--admin-listen=127.0.0.1:0",
                                     "--upstream=" + service_.address()};
    args.insert(args.end(), options.edge_args.begin(), options.edge_args.end());
    auto process = StartOnCores(options.cores, std::move(args));
    if (!process.ok()) return process.status();
    process_ = *std::move(process);
    for (const auto& [msg, address] :
         {std::pair{"listening", &address_}, std::pair{"admin listening", &admin_}}) {
      const auto line = process_->WaitForLine(
          [msg = msg](const std::string& text) { return testing::LogField(text, "msg") == msg; },
          testing::kStartTimeout);
      if (!line.ok()) return line.status();
      *address = testing::LogField(*line, "address");
    }
    return absl::OkStatus();
  }

  void Say(const std::string& room, int changes) override {
    uint64_t& said = said_[room];
    for (int i = 0; i < changes; ++i) service_.Say(room, ChangeOf(NthChange(said++)));
  }

  std::string address() const override { return address_; }
  pid_t pid() const override { return process_->pid(); }

  double Metric(const std::string& name) const override {
    const auto answer = testing::HttpGet(admin_, "/metrics");
    if (!answer.ok()) return 0;
    std::istringstream lines(answer->body);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(name + " ")) return std::stod(line.substr(name.size() + 1));
    }
    return 0;
  }

 private:
  WatchFeed service_;
  std::unique_ptr<testing::Process> process_;
  std::string address_;
  std::string admin_;
  std::map<std::string, uint64_t> said_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Contestant>> StartEdge(const StartOptions& options) {
  auto edge = std::make_unique<EdgeContestant>();
  if (const absl::Status status = edge->Start(options); !status.ok()) return status;
  return edge;
}

SeatChange NthChange(uint64_t number) {
  return {fmt::format("A{:03}", number % kSeats), number / kSeats % 2 == 0};
}

std::string ChangeText(const std::string& room, uint64_t number) {
  const SeatChange change = NthChange(number);
  return fmt::format(
      R"({{"type":"seat_status_change","showtimeId":"{}","seatId":"{}","status":"{}",)"
      R"("timestamp":1700000000000,"revision":{},"cause":"{}"}})",
      room, change.seat, change.lock ? "locked" : "unlocked", number + 1,
      change.lock ? "lock" : "unlock");
}

absl::StatusOr<std::unique_ptr<testing::Process>> StartOnCores(const std::string& cores,
                                                               std::vector<std::string> args,
                                                               const std::string& dir) {
  args.insert(args.begin(), {"--cpu-list", cores});
  return testing::Process::Start(
      {.binary = "/usr/bin/taskset", .args = std::move(args), .working_dir = dir});
}

}  // namespace seatlock::bench

// The watchdog of both programs, on real processes: one thread after the other is held up, alone,
// as a debugger does it, and the pings must cease for those that matter.
#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "tests/testing/eventually.h"
#include "tests/testing/notify_socket.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::testing {
namespace {

using std::chrono::milliseconds;

// A ping comes each quarter of this, and a little more.
constexpr milliseconds kWatchdog(1'000);

std::vector<pid_t> ThreadsOf(pid_t process) {
  std::vector<pid_t> threads;
  DIR* folder = opendir(("/proc/" + std::to_string(process) + "/task").c_str());
  while (const dirent* entry = readdir(folder)) {
    if (const pid_t thread = std::atoi(entry->d_name)) threads.push_back(thread);
  }
  closedir(folder);
  return threads;
}

// Holds one thread of a child of ours while it lives. The others go on.
class Held {
 public:
  explicit Held(pid_t thread) : thread_(thread) {
    is_held_ = ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) == 0 &&
               ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) == 0 &&
               waitpid(thread_, nullptr, __WALL) == thread_;
  }
  ~Held() {
    if (is_held_) ptrace(PTRACE_DETACH, thread_, nullptr, nullptr);
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  bool is_held() const { return is_held_; }

 private:
  const pid_t thread_;
  bool is_held_ = false;
};

class WatchdogProgramTest : public ::testing::Test {
 protected:
  void Start(const std::string& binary, std::vector<std::string> args) {
    args.insert(args.end(), {"--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"});
    auto process =
        Process::Start({.binary = binary,
                        .args = args,
                        .env = {{"NOTIFY_SOCKET", manager_.path()},
                                {"WATCHDOG_USEC", std::to_string(kWatchdog.count() * 1000)}}});
    ASSERT_TRUE(process.ok()) << process.status();
    process_ = *std::move(process);
    ASSERT_TRUE(Comes("READY=1\nSTATUS=serving on "));
    ASSERT_TRUE(Comes("WATCHDOG=1"));
  }

  bool Comes(const std::string& start) {
    return Eventually([&] {
      const std::optional<std::string> text = manager_.Next(milliseconds(100));
      return text && text->starts_with(start);
    });
  }

  // Whether the program goes unpinged for the manager's whole time.
  bool PingsCease() {
    while (manager_.Next()) continue;
    // One may be on its way: its question was answered before.
    static_cast<void>(manager_.Next(kWatchdog));
    return !manager_.Next(kWatchdog).has_value();
  }

  // How many threads stop the pings, each held up alone.
  int ThreadsThatMatter() {
    int matter = 0;
    for (const pid_t thread : ThreadsOf(process_->pid())) {
      {
        const Held held(thread);
        if (!held.is_held()) continue;  // it has ended since
        matter += PingsCease() ? 1 : 0;
      }
      EXPECT_TRUE(Comes("WATCHDOG=1")) << "the thread goes on, and so do the pings";
    }
    return matter;
  }

  TempDir dir_;
  NotifySocket manager_{dir_.File("notify")};
  std::unique_ptr<Process> process_;
};

TEST_F(WatchdogProgramTest, ThreadsOfTheServiceThatStandStillStopThePings) {
  Start(SEATLOCKD_BINARY, {"--store=sqlite:" + dir_.File("seats.db")});
  // The store's writer and reader, three of the engine, the ticker. gRPC has several threads, of
  // which others take over the work of one that stands still, or not, by chance.
  EXPECT_GE(ThreadsThatMatter(), 6);
}

TEST_F(WatchdogProgramTest, ThreadsOfTheEdgeThatStandStillStopThePings) {
  Start(EDGE_BINARY, {"--threads=3", "--upstream=127.0.0.1:1"});
  // Three that serve browsers, and the ticker.
  EXPECT_GE(ThreadsThatMatter(), 4);
}

// The control: it is not the holding that stops them. The main thread waits for a signal.
TEST_F(WatchdogProgramTest, AThreadThatDoesNotMatterStopsNoPings) {
  Start(SEATLOCKD_BINARY, {"--store=memory:"});
  const Held held(process_->pid());
  ASSERT_TRUE(held.is_held());
  while (manager_.Next()) continue;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Comes("WATCHDOG=1"));
}

TEST_F(WatchdogProgramTest, ADrainIsSaidWithTheTimeThatItMayTake) {
  Start(SEATLOCKD_BINARY, {"--store=memory:", "--drain-delay=70s", "--drain-timeout=5s"});
  process_->Signal(SIGTERM);
  EXPECT_TRUE(Comes("STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=135000000"));
}

TEST_F(WatchdogProgramTest, AServerWhoseRedisIsAwayIsReadyAndSaysThatItDoesNotServe) {
  auto process =
      Process::Start({.binary = SEATLOCKD_BINARY,
                      .args = {"--store=redis://127.0.0.1:1", "--listen=127.0.0.1:0",
                               "--admin-listen=127.0.0.1:0"},
                      .env = {{"NOTIFY_SOCKET", manager_.path()},
                              {"WATCHDOG_USEC", std::to_string(kWatchdog.count() * 1000)}}});
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_TRUE(Comes("READY=1\nSTATUS=not serving: "));
  // To be started anew would not bring Redis back.
  EXPECT_TRUE(Comes("WATCHDOG=1"));
}

}  // namespace
}  // namespace seatlock::testing

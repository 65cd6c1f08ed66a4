// `seatctl top`: a thread looks, this one draws and hears keys.
#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "clients/cli/operate/commands.h"
#include "clients/cli/operate/limits.h"
#include "clients/cli/operate/terminal.h"
#include "clients/cli/operate/text.h"
#include "clients/cli/operate/top.h"
#include "common/base/mutex.h"
#include "seatlock/client.h"

namespace seatlock::cli::operate {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// The service gives no more at once (seatlock_service.proto).
constexpr uint64_t kPageSize = 1'000;
// Pages may be short, even empty, though more follow.
constexpr uint64_t kPagesMax = 3 * kTopShowtimesMax / kPageSize;

// The first `count` showtimes by id, none looked for after `until`.
ShowtimesLook LookAtShowtimes(client::Client& client, uint64_t count, Clock::time_point until) {
  ShowtimesLook look;
  std::string token;
  for (uint64_t page = 0; look.by_id.size() < count; ++page) {
    v1::ListShowtimesRequest request;
    request.set_page_size(static_cast<int32_t>(std::min(kPageSize, count - look.by_id.size())));
    request.set_page_token(token);
    const auto response = client.ListShowtimes(request);
    if (!response.ok()) {
      look.error = Clean(std::string(response.status().message()));
      return look;
    }
    for (const auto& each : response->showtimes()) look.by_id[each.showtime_id()] = each;
    token = response->next_page_token();
    look.more = !token.empty();
    if (token.empty() || page + 1 == kPagesMax || Clock::now() >= until) break;
  }
  return look;
}

// Looks again and again on a thread of its own, until it is destroyed.
class Looker {
 public:
  Looker(const CommonArgs& common, const Args& args, Terminal& terminal)
      : args_(args),
        tls_(common.tls),
        look_max_(std::min(kLookMax, milliseconds(common.timeout_ms))),
        terminal_(terminal),
        client_(Options(look_max_, common)),
        thread_([this] { Run(); }) {}
  // Waits for a look that is under way, kLookMax at most.
  ~Looker() {
    {
      const base::MutexLock lock(mu_);
      stop_ = true;
    }
    changed_.NotifyAll();
    thread_.join();
  }

  // The newest look; null if there is none since the last call.
  std::shared_ptr<const TopLook> Take() ABSL_LOCKS_EXCLUDED(mu_) {
    const base::MutexLock lock(mu_);
    return std::exchange(newest_, nullptr);
  }

 private:
  static client::ClientOptions Options(milliseconds look_max, const CommonArgs& common) {
    client::ClientOptions options;
    options.servers = common.servers;
    options.tls = common.tls;
    options.timeout = look_max;
    options.attempt_timeout = look_max;
    return options;
  }

  std::shared_ptr<const TopLook> LookOnce() {
    auto look = std::make_shared<TopLook>();
    std::thread showtimes([&] {
      if (args_.showtimes == 0) return;
      look->showtimes = LookAtShowtimes(client_, args_.showtimes, Clock::now() + look_max_);
    });
    look->look = LookAt(args_.admins, args_.servers, tls_, look_max_);
    showtimes.join();
    return look;
  }

  void Run() ABSL_LOCKS_EXCLUDED(mu_) {
    Clock::time_point next = Clock::now();
    while (WaitUntil(next)) {
      // From the beginning of one look to the next; if a look takes longer, at once.
      next = std::max(next + milliseconds(args_.interval_ms), Clock::now());
      std::shared_ptr<const TopLook> look = LookOnce();
      {
        const base::MutexLock lock(mu_);
        newest_ = std::move(look);
      }
      terminal_.Wake();
    }
  }

  // False if it is to stop.
  bool WaitUntil(Clock::time_point until) ABSL_LOCKS_EXCLUDED(mu_) {
    const base::MutexLock lock(mu_);
    while (!stop_ && Clock::now() < until) {
      changed_.WaitFor(mu_, std::chrono::ceil<milliseconds>(until - Clock::now()));
    }
    return !stop_;
  }

  const Args& args_;
  const std::optional<client::TlsOptions> tls_;
  const milliseconds look_max_;
  Terminal& terminal_;
  client::Client client_;
  base::Mutex mu_;
  base::CondVar changed_;
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  std::shared_ptr<const TopLook> newest_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

// Draws a view, or the one before if only the size changed.
class TopScreen {
 public:
  TopScreen(const CommonArgs& common, const Args& args)
      : json_(common.json), terminal_(!common.json), color_(UsesColor(args.no_color)) {}

  Terminal& terminal() { return terminal_; }

  void Show(TopView view) {
    view_ = std::move(view);
    if (json_) {
      terminal_.Print(TopJson(view_));
    } else {
      Redraw();
    }
  }
  void Redraw() {
    if (json_) return;
    const Terminal::Size size = terminal_.size();
    terminal_.Draw(TopFrame(view_, size.width, size.height, color_));
  }
  // The last frame, for those who come back to the shell: the screen has gone.
  void LeaveLastFrame() {
    if (!terminal_.screen()) return;
    const int width = terminal_.size().width;
    terminal_.Leave();
    terminal_.Draw(TopFrame(view_, width, 0, color_));
  }

 private:
  const bool json_;
  Terminal terminal_;
  const bool color_;
  TopView view_;
};

}  // namespace

int RunTop(const CommonArgs& common, const Args& args) {
  TopScreen screen(common, args);
  Looker looker(common, args, screen.terminal());
  std::shared_ptr<const TopLook> before;
  uint64_t looks = 0;
  while (true) {
    const Terminal::Event event = screen.terminal().Wait(Clock::now() + std::chrono::hours(1));
    if (event == Terminal::Event::kQuit) break;
    if (event == Terminal::Event::kResized && before != nullptr) screen.Redraw();
    std::shared_ptr<const TopLook> look = looker.Take();
    if (look == nullptr) continue;
    screen.Show(CompareLooks(before.get(), *look));
    before = std::move(look);
    if (++looks == args.count) {
      screen.LeaveLastFrame();
      break;
    }
  }
  screen.terminal().Leave();
  return kExitOk;
}

}  // namespace seatlock::cli::operate

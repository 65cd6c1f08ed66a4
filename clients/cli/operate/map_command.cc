// `seatctl map`: a thread watches the showtime, this one draws and hears keys.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clients/cli/operate/commands.h"
#include "clients/cli/operate/house.h"
#include "clients/cli/operate/layout.h"
#include "clients/cli/operate/limits.h"
#include "clients/cli/operate/terminal.h"
#include "clients/cli/operate/text.h"
#include "common/base/mutex.h"
#include "seatlock/call_error.h"
#include "seatlock/client.h"

namespace seatlock::cli::operate {
namespace {

using client::Watch;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

int64_t NowMs() {
  return std::chrono::duration_cast<milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Follows the showtime on a thread of its own.
class Follower {
 public:
  Follower(const CommonArgs& common, const Args& args, Terminal& terminal)
      : terminal_(terminal), client_(Options(common)) {
    v1::WatchShowtimeRequest request;
    request.set_showtime_id(args.showtime);
    watch_ = client_.WatchShowtime(std::move(request));
    thread_ = std::thread([this] { Run(); });
  }
  ~Follower() {
    watch_->Cancel();
    thread_.join();
  }

  // Calls `use(state)`, while nothing changes it.
  template <typename Use>
  void With(Use use) ABSL_LOCKS_EXCLUDED(mu_) {
    const base::MutexLock lock(mu_);
    use(std::as_const(state_));
  }
  // Why the watch is over for good; OK while it is not.
  absl::Status Ended() ABSL_LOCKS_EXCLUDED(mu_) {
    const base::MutexLock lock(mu_);
    return ended_;
  }
  // Why what is known may be old; empty if it is live.
  std::string Stale() ABSL_LOCKS_EXCLUDED(mu_) {
    const absl::Status failure = watch_->Failure();
    if (!failure.ok()) return std::string(failure.message());
    const base::MutexLock lock(mu_);
    if (Clock::now() < heard_ + kSilentMax) return "";
    return absl::StrCat("nothing heard for ", kSilentMax.count() / 1000, " s and more");
  }

 private:
  static client::ClientOptions Options(const CommonArgs& common) {
    client::ClientOptions options;
    options.servers = common.servers;
    options.tls = common.tls;
    return options;
  }

  void Run() ABSL_LOCKS_EXCLUDED(mu_) {
    while (true) {
      const absl::StatusOr<Watch::Event> event = watch_->Next(std::chrono::hours(1));
      if (absl::IsDeadlineExceeded(event.status())) continue;
      {
        const base::MutexLock lock(mu_);
        if (event.ok()) {
          state_.Take(*event);
          heard_ = Clock::now();
        } else {
          ended_ = event.status();
        }
      }
      terminal_.Wake();
      if (!event.ok()) return;
    }
  }

  Terminal& terminal_;
  client::Client client_;
  std::unique_ptr<Watch> watch_;
  base::Mutex mu_;
  ShowtimeState state_ ABSL_GUARDED_BY(mu_);
  Clock::time_point heard_ ABSL_GUARDED_BY(mu_) = Clock::now();
  absl::Status ended_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

// Draws what the follower knows.
class Painter {
 public:
  Painter(const CommonArgs& common, const Args& args, std::optional<House> layout)
      : showtime_(args.showtime),
        json_(common.json),
        color_(UsesColor(args.no_color)),
        layout_(std::move(layout)) {}

  // Whether anything is to be seen that was not drawn yet, besides how old the last change is.
  bool IsNew(Follower& follower) {
    const std::string stale = follower.Stale();
    bool is_new = false;
    follower.With([&](const ShowtimeState& state) {
      is_new = drawn_revision_ != state.revision() || drawn_epoch_ != state.epoch() ||
               drawn_stale_ != stale || !drawn_;
    });
    return is_new;
  }

  void Draw(Follower& follower, Terminal& terminal) {
    const MapInfo info{.showtime = showtime_, .stale = follower.Stale(), .now_ms = NowMs()};
    std::vector<std::string> lines;
    std::string line;
    follower.With([&](const ShowtimeState& state) {
      if (!layout_.has_value() && (guessed_names_ != state.names() || !drawn_)) {
        guess_ = GuessHouse(state.seat_ids());
        guessed_names_ = state.names();
      }
      const House& house = layout_.has_value() ? *layout_ : guess_;
      const Terminal::Size size = terminal.size();
      if (json_) {
        line = MapJson(state, house, info);
      } else {
        lines = MapFrame(state, house, info, size.width, size.height, color_);
      }
      drawn_revision_ = state.revision();
      drawn_epoch_ = state.epoch();
    });
    drawn_stale_ = info.stale;
    drawn_ = true;
    if (json_) {
      terminal.Print(line);
    } else {
      terminal.Draw(lines);
    }
  }

 private:
  const std::string showtime_;
  const bool json_;
  const bool color_;
  const std::optional<House> layout_;
  House guess_ = GuessHouse({});
  uint64_t guessed_names_ = 0;
  bool drawn_ = false;
  uint64_t drawn_revision_ = 0;
  std::string drawn_epoch_;
  std::string drawn_stale_;
};

bool IsKnown(Follower& follower) {
  bool known = false;
  follower.With([&known](const ShowtimeState& state) { known = state.known(); });
  return known;
}

std::string Because(const std::string& why) {
  return why.empty() ? "" : absl::StrCat(": ", why);
}

int Fail(Terminal& terminal, const absl::Status& status) {
  terminal.Leave();
  const client::CallError error = client::ErrorOf(status);
  std::string text = error.reason.empty() ? "" : absl::StrCat(error.reason, ": ");
  absl::StrAppend(&text, error.message);
  std::fprintf(stderr, "seatctl: %s\n", Clean(text).c_str());
  return absl::IsInvalidArgument(status)    ? kExitUsage
         : absl::IsUnavailable(status)      ? kExitUnavailable
         : absl::IsDeadlineExceeded(status) ? kExitUnavailable
                                            : kExitFailed;
}

// Waits for the first event. OK: there is one; Cancelled: the person ended it.
absl::Status AwaitFirst(Follower& follower, Terminal& terminal, int64_t timeout_ms) {
  const Clock::time_point give_up = Clock::now() + milliseconds(timeout_ms);
  while (!IsKnown(follower)) {
    if (absl::Status ended = follower.Ended(); !ended.ok()) return ended;
    if (Clock::now() >= give_up) {
      return absl::UnavailableError(absl::StrCat("no answer in time", Because(follower.Stale())));
    }
    const auto until = std::min(give_up, Clock::now() + kMapLook);
    if (terminal.Wait(until) == Terminal::Event::kQuit) return absl::CancelledError();
  }
  return absl::OkStatus();
}

// Until the person ends it.
int Follow(Follower& follower, Painter& painter, Terminal& terminal) {
  const milliseconds pause = terminal.screen() ? kFramePause : kPlainFramePause;
  Clock::time_point last;
  while (true) {
    if (absl::Status ended = follower.Ended(); !ended.ok()) return Fail(terminal, ended);
    // The age of the last change moves on a screen; below one another it is nothing new.
    if (Clock::now() >= last + pause && (terminal.screen() || painter.IsNew(follower))) {
      painter.Draw(follower, terminal);
      last = Clock::now();
    }
    const Terminal::Event event = terminal.Wait(Clock::now() + kMapLook);
    if (event == Terminal::Event::kQuit) return kExitOk;
    if (event == Terminal::Event::kResized) last = {};
    // More changes soon: draw them together.
    if (event == Terminal::Event::kWoken && Clock::now() < last + pause) {
      if (terminal.Wait(last + pause) == Terminal::Event::kQuit) return kExitOk;
    }
  }
}

}  // namespace

int RunMap(const CommonArgs& common, const Args& args) {
  std::optional<House> layout;
  if (!args.layout_file.empty()) {
    auto house = ReadLayout(args.layout_file);
    if (!house.ok()) {
      std::fprintf(stderr, "seatctl: --layout: %s\n",
                   std::string(house.status().message()).c_str());
      return kExitUsage;
    }
    layout = *std::move(house);
  }
  Terminal terminal(!args.once && !common.json);
  Follower follower(common, args, terminal);
  Painter painter(common, args, std::move(layout));
  const absl::Status first = AwaitFirst(follower, terminal, common.timeout_ms);
  // Who wanted one picture has none.
  if (absl::IsCancelled(first)) return args.once ? kExitFailed : kExitOk;
  if (!first.ok()) return Fail(terminal, first);
  if (args.once) {
    painter.Draw(follower, terminal);
    return kExitOk;
  }
  return Follow(follower, painter, terminal);
}

}  // namespace seatlock::cli::operate

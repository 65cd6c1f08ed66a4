#include "clients/cli/bench/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_format.h"

namespace seatlock::cli::bench {
namespace {

constexpr std::chrono::milliseconds kRedraw(200);
constexpr std::chrono::milliseconds kLine(2'000);
constexpr int kBarWidth = 24;
constexpr int kColumnsDefault = 80;

int Columns() {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kColumnsDefault;
}

}  // namespace

std::string Bar(const ProgressNow& now, int columns) {
  const double share = std::clamp(now.share, 0.0, 1.0);
  const int done = static_cast<int>(share * kBarWidth);
  std::string text = absl::StrFormat("[%s%s] %3.0f %%  %s", std::string(done, '#'),
                                     std::string(kBarWidth - done, '.'), share * 100, now.text);
  if (text.size() > static_cast<size_t>(columns)) text.resize(static_cast<size_t>(columns));
  return text;
}

Progress::Progress(std::function<ProgressNow()> look)
    : look_(std::move(look)), terminal_(isatty(STDERR_FILENO) == 1) {
  ticker_ = std::make_unique<base::Ticker>(terminal_ ? kRedraw : kLine, [this] { Draw(); });
}

Progress::~Progress() {
  ticker_.reset();
  if (terminal_) std::fputs("\r\x1b[K", stderr);
}

void Progress::Draw() {
  const ProgressNow now = look_();
  if (terminal_) {
    // One column less, or some terminals begin a new line.
    std::fprintf(stderr, "\r\x1b[K%s", Bar(now, Columns() - 1).c_str());
  } else {
    std::fprintf(stderr, "%3.0f %%  %s\n", std::clamp(now.share, 0.0, 1.0) * 100, now.text.c_str());
  }
}

}  // namespace seatlock::cli::bench

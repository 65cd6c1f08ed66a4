#include "clients/cli/operate/terminal.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "clients/cli/operate/limits.h"
#include "clients/cli/operate/text.h"

namespace seatlock::cli::operate {
namespace {

// Alternate screen, no cursor, lines that are cut and not wrapped.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
constexpr std::string_view kLeave = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kEndLine = "\x1b[K";
constexpr std::string_view kEndFrame = "\x1b[J";

sigset_t OurSignals() {
  sigset_t ours;
  ::sigemptyset(&ours);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH}) {
    ::sigaddset(&ours, signal);
  }
  return ours;
}

}  // namespace

bool IsScreen() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && term != nullptr && *term != '\0' &&
         std::string_view(term) != "dumb";
}

bool UsesColor(bool no_color) {
  const char* env = std::getenv("NO_COLOR");
  return !no_color && IsScreen() && (env == nullptr || *env == '\0');
}

Terminal::Terminal(bool screen)
    : screen_(screen && IsScreen()), has_keys_(screen_ && ::isatty(STDIN_FILENO) == 1) {
  const sigset_t ours = OurSignals();
  ::sigprocmask(SIG_BLOCK, &ours, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // NOLINT: the result is the handler before
  signal_fd_ = ::signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
  wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (screen_) Enter();
}

Terminal::~Terminal() {
  Leave();
  ::close(signal_fd_);
  ::close(wake_fd_);
}

void Terminal::Enter() {
  if (has_keys_ && ::tcgetattr(STDIN_FILENO, &keys_before_) == 0) {
    termios keys = keys_before_;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    keys.c_cc[VMIN] = 1;
    keys.c_cc[VTIME] = 0;
    keys_changed_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &keys) == 0;
  }
  Write(std::string(kEnter));
}

void Terminal::Leave() {
  if (!screen_) return;
  Write(std::string(kLeave));
  // Also drops keys that nobody has read, so that the shell does not get them.
  if (keys_changed_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &keys_before_);
  keys_changed_ = false;
  screen_ = false;
  has_keys_ = false;
}

Terminal::Size Terminal::size() const {
  if (!screen_) return {kPlainWidth, 0};
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return {80, 24};
  }
  return {std::clamp<int>(size.ws_col, kWidthMin, kWidthMax),
          std::clamp<int>(size.ws_row, kHeightMin, kHeightMax)};
}

void Terminal::Draw(const std::vector<std::string>& lines) {
  if (!screen_) return Print(absl::StrCat(JoinLines(lines), "\n"));
  std::string frame(kHome);
  for (size_t i = 0; i < lines.size(); ++i) {
    absl::StrAppend(&frame, i == 0 ? "" : "\r\n", lines[i], "\x1b[0m", std::string(kEndLine));
  }
  absl::StrAppend(&frame, std::string(kEndFrame));
  Write(frame);
}

void Terminal::Print(const std::string& text) {
  Write(text);
}

void Terminal::Write(const std::string& text) {
  size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = ::write(STDOUT_FILENO, text.data() + written, text.size() - written);
    if (count > 0) {
      written += static_cast<size_t>(count);
    } else if (errno == EAGAIN) {
      pollfd out{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
      ::poll(&out, 1, -1);
    } else if (errno != EINTR) {
      quit_ = true;  // nobody reads any more
      return;
    }
  }
}

void Terminal::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t count = ::write(wake_fd_, &one, sizeof one);
}

bool Terminal::IsQuitKey() const {
  char keys[64];
  const ssize_t count = ::read(STDIN_FILENO, keys, sizeof keys);
  if (count <= 0) return count == 0 || (errno != EINTR && errno != EAGAIN);
  return std::string_view(keys, static_cast<size_t>(count)).find_first_of("qQ") !=
         std::string_view::npos;
}

void Terminal::Suspend() {
  const bool was_screen = screen_;
  Leave();
  ::raise(SIGSTOP);
  // Goes on here after `fg`.
  screen_ = was_screen;
  has_keys_ = screen_ && ::isatty(STDIN_FILENO) == 1;
  if (screen_) Enter();
}

Terminal::Event Terminal::TakeSignal() {
  signalfd_siginfo info{};
  if (::read(signal_fd_, &info, sizeof info) != sizeof info) return Event::kTime;
  if (info.ssi_signo == SIGWINCH) return Event::kResized;
  if (info.ssi_signo != SIGTSTP) return Event::kQuit;
  Suspend();
  return Event::kResized;
}

Terminal::Event Terminal::Wait(std::chrono::steady_clock::time_point until) {
  while (!quit_) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd fds[] = {{.fd = signal_fd_, .events = POLLIN, .revents = 0},
                    {.fd = wake_fd_, .events = POLLIN, .revents = 0},
                    {.fd = has_keys_ ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0}};
    const int ready =
        ::poll(fds, std::size(fds), static_cast<int>(std::clamp<int64_t>(left.count(), 0, 60'000)));
    if (ready == 0 && left.count() <= 60'000) return Event::kTime;
    if (ready <= 0) continue;
    if (fds[0].revents != 0) {
      const Event event = TakeSignal();
      quit_ = event == Event::kQuit;
      if (event != Event::kTime) return event;
    }
    if (fds[2].revents != 0) quit_ = IsQuitKey();
    if (!quit_ && fds[1].revents != 0) {
      uint64_t count = 0;
      [[maybe_unused]] const ssize_t read = ::read(wake_fd_, &count, sizeof count);
      return Event::kWoken;
    }
  }
  return Event::kQuit;
}

}  // namespace seatlock::cli::operate

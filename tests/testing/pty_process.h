// A program on a terminal of its own (a pseudo-terminal), as a person has it: what it drew is kept,
// keys can be typed, the terminal can get another size. Killed and reaped at the latest by the
// destructor. Thread-compatible; variables of the environment are handed down, and TERM is xterm.
#pragma once

#include <sys/types.h>
#include <termios.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace seatlock::testing {

class PtyProcess {
 public:
  using Millis = std::chrono::milliseconds;

  // args[0] is the program's path.
  PtyProcess(const std::vector<std::string>& args, int width, int height);
  ~PtyProcess();
  PtyProcess(const PtyProcess&) = delete;
  PtyProcess& operator=(const PtyProcess&) = delete;

  void Type(const std::string& keys);
  void Resize(int width, int height);
  void Signal(int signal);

  // Whether what it draws has `text` within `patience`: in the frame that it drew last, from the
  // cursor's way home on, without colours.
  bool Shows(const std::string& text, Millis patience = std::chrono::seconds(60));
  // The same in any frame since it began, for what is there only for a moment.
  bool Showed(const std::string& text, Millis patience = std::chrono::seconds(60));
  std::string Frame() const;
  // Everything that it wrote.
  const std::string& output() const { return output_; }

  // Its exit code; nullopt if it does not end within `patience`, -1 if a signal ended it.
  std::optional<int> Wait(Millis patience = std::chrono::seconds(60));
  // Whether it stops, as by Ctrl-Z, within `patience`. It has not ended.
  bool WaitStopped(Millis patience = std::chrono::seconds(60));
  // Whether the terminal reads keys as it did before the program began.
  bool IsRestored() const;

 private:
  void ReadFor(Millis time);

  int master_ = -1;
  int slave_ = -1;
  termios before_{};
  pid_t pid_ = -1;
  std::optional<int> exit_;
  std::string output_;
};

}  // namespace seatlock::testing

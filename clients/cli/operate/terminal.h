// The terminal of a command that draws until somebody ends it. On a terminal it takes the whole
// screen (the alternate one, so that what stood there comes back), reads keys as they come, and
// redraws in place; elsewhere each frame is printed below the one before. q, Ctrl-C, SIGTERM and a
// terminal that goes away end it, a new size is told, Ctrl-Z gives the terminal back until `fg`.
// The destructor puts the terminal back as it was.
//
// Make it before any thread starts: they inherit the signals that it blocks. Belongs to one thread,
// but for Wake, which is thread-safe.
#pragma once

#include <termios.h>

#include <chrono>
#include <string>
#include <vector>

namespace seatlock::cli::operate {

// Whether stdout is a terminal that can move its cursor.
bool IsScreen();
// Colours are for terminals, and for those who did not opt out (no-color.org).
bool UsesColor(bool no_color);

class Terminal {
 public:
  enum class Event { kTime, kWoken, kResized, kQuit };
  struct Size {
    int width = 0;
    int height = 0;  // 0: without end, it is no screen
  };

  // `screen`: take the whole screen, if stdout is one.
  explicit Terminal(bool screen);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  bool screen() const { return screen_; }
  Size size() const;

  // Shows the lines, none wider and no more of them than size() said.
  void Draw(const std::vector<std::string>& lines);
  // Prints as it is, for those who read no frames. Not on a screen.
  void Print(const std::string& text);

  // Blocks until something happens, not beyond `until`. After kQuit it says nothing else.
  Event Wait(std::chrono::steady_clock::time_point until);
  // Makes Wait return kWoken, now or when it is called.
  void Wake();

  // Gives the terminal back, now and not only at the end. What is drawn later is printed.
  void Leave();

 private:
  void Enter();
  void Write(const std::string& text);
  Event TakeSignal();
  bool IsQuitKey() const;
  void Suspend();

  bool screen_;
  bool has_keys_;
  bool quit_ = false;
  bool keys_changed_ = false;
  termios keys_before_{};
  int signal_fd_;
  int wake_fd_;
};

}  // namespace seatlock::cli::operate

// A program's log, on stderr: human text on a terminal, JSON lines elsewhere.
//
//   LogWarn("store is slow", {{"showtimes", 12}, {"wait_ms", 250}});
//   {"ts":"2026-01-31T12:00:00.000Z","level":"warn","program":"seatlockd","msg":"store is slow",
//    "showtimes":12,"wait_ms":250}
//
// The functions write to the process's one logger, because a log line must be possible from
// anywhere; main sets it up with InitLogging before other threads start. Until then they write text
// at level info. Never log a session id: who holds it can act as the shopper. Thread-safe; a call
// blocks for the write.
#pragma once

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace seatlock::runtime {

class Flags;

enum class LogFormat { kAuto, kJson, kText };
enum class LogLevel { kDebug, kInfo, kWarn, kError };

// A name and a value beside the message. Refers to what it was given: lives for one call.
struct LogField {
  template <typename T>
  LogField(std::string_view k, const T& v) : key(k), value(Value(v)) {}

  using Any = std::variant<std::string_view, int64_t, uint64_t, double, bool>;
  std::string_view key;
  Any value;

 private:
  template <typename T>
  static Any Value(const T& v) {
    if constexpr (std::is_same_v<T, bool>) {
      return v;
    } else if constexpr (std::is_floating_point_v<T>) {
      return static_cast<double>(v);
    } else if constexpr (std::is_unsigned_v<T>) {
      return static_cast<uint64_t>(v);
    } else if constexpr (std::is_integral_v<T>) {
      return static_cast<int64_t>(v);
    } else {
      // By data and size, so that absl::string_view is taken too.
      if constexpr (requires { v.data(); }) {
        return std::string_view(v.data(), v.size());
      } else {
        return std::string_view(v);
      }
    }
  }
};
using LogFields = std::initializer_list<LogField>;

// One log. Thread-safe.
class Logger {
 public:
  // Writes to `out`, which stays the caller's and outlives the Logger. kAuto is text where `out` is
  // a terminal.
  Logger(std::string program, LogFormat format, LogLevel level, std::FILE* out);
  ~Logger();

  // Writes one line unless `level` is below the Logger's.
  void Log(LogLevel level, std::string_view message, LogFields fields = {});
  bool Logs(LogLevel level) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// As flags give them: auto|json|text, debug|info|warn|error.
struct LoggingOptions {
  std::string format = "auto";
  std::string level = "info";
};

// Adds --log-format and --log-level. `options` outlives `flags`.
void AddLoggingFlags(LoggingOptions* options, Flags* flags);

// Sets up the process's logger; once, before other threads start.
void InitLogging(std::string program, const LoggingOptions& options);
void InitLogging(std::string program, LogFormat format, LogLevel level);

// Whether lines of level debug are written: to leave out the work for one that is not.
bool LogsDebug();

void LogDebug(std::string_view message, LogFields fields = {});
void LogInfo(std::string_view message, LogFields fields = {});
void LogWarn(std::string_view message, LogFields fields = {});
void LogError(std::string_view message, LogFields fields = {});

}  // namespace seatlock::runtime

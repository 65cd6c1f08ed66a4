// How the conformance suite gets at a store: one entry a store, listed in log_factory.cc.
//
// Thread-compatible.
#pragma once

#include <memory>
#include <ostream>
#include <string>

#include "services/seatlock/log/showtime_log.h"

namespace seatlock::testing {

// One store and the log that is open on it.
class LogUnderTest {
 public:
  virtual ~LogUnderTest() = default;

  virtual log::ShowtimeLog& log() = 0;

  // Empty: the log can be closed and opened again, and keeps what it holds. Else: why it cannot.
  virtual std::string WhyNoReopen() const = 0;
  virtual void Reopen() = 0;

  // Empty: what is stored can be altered behind the log's back. Else: why it cannot.
  virtual std::string WhyNoTampering() const = 0;
  // Closes the log, runs SQL on the tables of sqlite/schema.h, and opens it again.
  virtual void Tamper(const std::string& sql) = 0;
};

struct LogKind {
  std::string name;
  std::unique_ptr<LogUnderTest> (*make)();

  friend void PrintTo(const LogKind& kind, std::ostream* out) { *out << kind.name; }
};

LogKind MemoryKind();
LogKind SqliteKind();
LogKind RedisKind();
// Two logs on one Redis that take turns call by call.
LogKind TwoRedisKind();

}  // namespace seatlock::testing

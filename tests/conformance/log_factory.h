// How the conformance suite gets at a store: one entry a store, listed in log_factory.cc.
//
// Thread-compatible.
#pragma once

#include <memory>
#include <ostream>
#include <string>

#include "services/seatlock/log/showtime_log.h"

namespace seatlock::testing {

// One alteration, as it is made on each kind of store.
struct Tampering {
  // On the tables of sqlite/schema.h.
  std::string sql;
  // Lua, on the keys of redis/keys.h. There are: key.NAME.head, .log and .snap of the showtimes s,
  // t and b; entries(NAME), a list of {t=, c=, b=} by revision; and store(NAME, entries), which
  // writes such a list back, without those that are nil.
  std::string lua;
  // Whether anything is another after it. False: the control.
  bool changes = true;
};

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
  // Closes the log, alters what is stored, and opens it again.
  virtual void Tamper(const Tampering& what) = 0;

  // Empty: appends of one showtime that are submitted without waiting land in their order. Else:
  // why not.
  virtual std::string WhyNoOrder() const { return ""; }
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

#include "tests/conformance/log_factory.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <iostream>
#include <utility>

#include "common/base/random.h"
#include "services/seatlock/log/memory/memory_log.h"
#include "services/seatlock/log/redis/keys.h"
#include "services/seatlock/log/redis/redis_log.h"
#include "services/seatlock/log/sqlite/sqlite_log.h"
#include "tests/conformance/turns_log.h"
#include "tests/testing/redis_server.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::testing {
namespace {

class MemoryUnderTest final : public LogUnderTest {
 public:
  log::ShowtimeLog& log() override { return log_; }
  std::string WhyNoReopen() const override { return "the memory log is lost when it is closed"; }
  void Reopen() override { abort(); }
  std::string WhyNoTampering() const override { return "nobody else reaches the memory log"; }
  void Tamper(const Tampering&) override { abort(); }

 private:
  log::MemoryLog log_;
};

class SqliteUnderTest final : public LogUnderTest {
 public:
  SqliteUnderTest() { Open(); }
  log::ShowtimeLog& log() override { return *log_; }
  std::string WhyNoReopen() const override { return ""; }
  std::string WhyNoTampering() const override { return ""; }

  void Reopen() override {
    log_.reset();
    Open();
  }

  void Tamper(const Tampering& what) override {
    log_.reset();
    sqlite3* db = nullptr;
    char* error = nullptr;
    if (sqlite3_open(dir_.File("log.db").c_str(), &db) != SQLITE_OK ||
        sqlite3_exec(db, what.sql.c_str(), nullptr, nullptr, &error) != SQLITE_OK ||
        sqlite3_total_changes(db) == 0) {
      ADD_FAILURE() << "tampering has altered nothing: " << (error == nullptr ? "" : error);
    }
    sqlite3_free(error);
    sqlite3_close(db);
    Open();
  }

 private:
  void Open() {
    log::SqliteLog::Options options;
    options.path = dir_.File("log.db");
    auto log = log::SqliteLog::Open(std::move(options));
    if (!log.ok()) {
      ADD_FAILURE() << log.status();
      abort();
    }
    log_ = *std::move(log);
  }

  const TempDir dir_;
  std::unique_ptr<log::SqliteLog> log_;
};

std::unique_ptr<log::RedisLog> OpenRedis(const RedisServer& server) {
  log::RedisOptions options;
  options.addresses = {{.host = "127.0.0.1", .port = server.port()}};
  options.on_error = [](const absl::Status& why) { std::cerr << "redis log: " << why << "\n"; };
  auto log = log::RedisLog::Open(std::move(options));
  if (!log.ok() || !(*log)->Healthy()) {
    ADD_FAILURE() << "the log is not served: " << log.status();
    abort();
  }
  return *std::move(log);
}

// One server for all tests of a program, emptied before each.
RedisServer& SharedRedis() {
  static RedisServer server;
  return server;
}

// What Tampering::lua may use.
std::string TamperPrelude() {
  std::string keys = "local key = {}\n";
  for (const std::string id : {"s", "t", "b"}) {
    const domain::ShowtimeId showtime(id);
    keys += "key." + id + " = {head='" + log::ShowtimeKey("sl", showtime, "head") + "', log='" +
            log::ShowtimeKey("sl", showtime, "log") + "', snap='" +
            log::ShowtimeKey("sl", showtime, "snap") + "'}\n";
  }
  return keys + R"lua(
    local function entries(name)
      local list = {}
      for _, entry in ipairs(redis.call('XRANGE', key[name].log, '-', '+')) do
        local record, fields = {}, entry[2]
        for i = 1, #fields, 2 do record[fields[i]] = fields[i + 1] end
        list[tonumber(string.match(entry[1], '^%d+'))] = record
      end
      return list
    end
    local function store(name, list)
      redis.call('DEL', key[name].log)
      for revision = 1, 20 do
        local r = list[revision]
        if r then
          redis.call('XADD', key[name].log, revision .. '-0', 't', r.t, 'c', r.c, 'b', r.b)
        end
      end
    end
  )lua";
}

class RedisUnderTest final : public LogUnderTest {
 public:
  explicit RedisUnderTest(bool two = false) : two_(two) {
    server_.Run({"FLUSHALL"});
    server_.Run({"HSET", log::InstallationKey("sl"), "id", base::RandomHex(8), "layout", "1",
                 "counter", "0"});
    Open();
  }
  log::ShowtimeLog& log() override { return *log_; }
  std::string WhyNoReopen() const override { return ""; }
  std::string WhyNoTampering() const override { return ""; }

  void Reopen() override {
    log_.reset();
    Open();
  }

  void Tamper(const Tampering& what) override {
    log_.reset();
    const std::string before = server_.Run({"DEBUG", "DIGEST"});
    const std::string answer = server_.Run({"EVAL", TamperPrelude() + what.lua, "0"});
    if (answer.rfind('-', 0) == 0) ADD_FAILURE() << answer;
    if (what.changes && server_.Run({"DEBUG", "DIGEST"}) == before) {
      ADD_FAILURE() << "tampering has altered nothing";
    }
    Open();
  }

  std::string WhyNoOrder() const override {
    return two_ ? "no log knows what the other has been handed" : "";
  }

 private:
  void Open() {
    if (two_) {
      log_ = std::make_unique<TurnsLog>(OpenRedis(server_), OpenRedis(server_));
    } else {
      log_ = OpenRedis(server_);
    }
  }

  const bool two_;
  RedisServer& server_ = SharedRedis();
  std::unique_ptr<log::ShowtimeLog> log_;
};

template <typename T>
std::unique_ptr<LogUnderTest> Make() {
  return std::make_unique<T>();
}

}  // namespace

LogKind MemoryKind() {
  return {"Memory", &Make<MemoryUnderTest>};
}

LogKind SqliteKind() {
  return {"Sqlite", &Make<SqliteUnderTest>};
}

LogKind RedisKind() {
  return {"Redis", &Make<RedisUnderTest>};
}

LogKind TwoRedisKind() {
  return {"TwoOnRedis", +[]() -> std::unique_ptr<LogUnderTest> {
            return std::make_unique<RedisUnderTest>(true);
          }};
}

}  // namespace seatlock::testing

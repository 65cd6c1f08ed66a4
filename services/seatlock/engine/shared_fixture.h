// Several engines on one shared store, each on a manual executor: tests of servers that write the
// same showtimes move everything by hand.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/seatlock/engine/engine_fixture.h"
#include "services/seatlock/engine/limits.h"
#include "tests/testing/shared_log.h"

namespace seatlock::engine {

class SharedStoreTest : public EngineTest {
 protected:
  using Fault = testing::SharedLog::Fault;
  using Hints = testing::SharedLog::Hints;
  using Lies = testing::SharedLog::Lies;

  struct Server {
    Server(SharedStoreTest& test, Lies lies) : log(test.store_, lies) {
      engine.emplace(Engine::Options{
          log, test.clock_, test.encoder_, observer, executor, executor, executor, {}, [&test] {
            return absl::StrCat("epoch", ++test.epochs_);
          }});
    }

    testing::SharedLog log;
    testing::ManualExecutor executor;
    RecordingObserver observer;
    std::optional<Engine> engine;
  };

  ~SharedStoreTest() override { Stop(); }

  // Lets every answer come in, and ends the engines.
  void Stop() {
    store_.BecomeDurable();
    for (auto& server : servers_) server->log.Continue();
    Settle();
    for (auto& server : servers_) server->engine.reset();
    Settle();
  }

  Server& Add(Lies lies = {}) {
    servers_.push_back(std::make_unique<Server>(*this, lies));
    return *servers_.back();
  }

  // Runs everything that is ready to run. A server's work can give another one some.
  void Settle() {
    for (int i = 0; i < 8; ++i) {
      for (auto& server : servers_) server->executor.RunAll();
    }
  }
  void TickAll() {
    for (auto& server : servers_) server->engine->Tick();
    Settle();
  }
  // Lets time go by as a running service does.
  void GoOn(int64_t ms) {
    for (; ms > 0; ms -= 50) {
      clock_.AdvanceMs(50);
      TickAll();
    }
  }

  Told Ask(Server& server, domain::Command command) {
    return SubmitTo(*server.engine, std::move(command));
  }
  Result DoOn(Server& server, domain::Command command) {
    Told told = Ask(server, std::move(command));
    Settle();
    EXPECT_TRUE(told->has_value()) << "no answer came";
    return told->value_or(Failure{});
  }
  // What became of a read: the seats that "alice" holds.
  std::shared_ptr<ReadResult> AskHeld(Server& server) {
    auto result = std::make_shared<ReadResult>();
    Query query;
    query.read = [result](const View& view) -> base::Task {
      result->held = view.state.HeldCount(domain::SessionId("alice"));
      return [] {};
    };
    query.fail = [result](Failure failure) { result->failure = std::move(failure); };
    server.engine->Read(showtime_, std::move(query));
    return result;
  }
  std::optional<size_t> HeldOn(Server& server) {
    auto result = AskHeld(server);
    Settle();
    return result->held;
  }

  std::shared_ptr<Reader> WatchOn(Server& server, std::optional<Position> resume = std::nullopt) {
    auto reader = std::make_shared<Reader>();
    std::weak_ptr<Reader> weak = reader;
    reader->watcher = server.engine->Watch(showtime_, std::move(resume), [weak] {
      if (auto live = weak.lock()) live->Take();
    });
    reader->Take();
    Settle();
    return reader;
  }
  // Where a watcher stands.
  static Position At(const Reader& reader) {
    return {reader.watcher->epoch(), reader.watcher->sent_upto()};
  }

  static domain::Command Book(const std::string& session, const std::string& seat,
                              const std::string& order) {
    domain::BookSeats body;
    body.session = domain::SessionId(session);
    body.order = domain::OrderId(order);
    body.seats.emplace_back(seat);
    return {{}, std::move(body)};
  }

  // How often `word` was sent to `reader`.
  static int Count(const Reader& reader, const std::string& word) {
    return static_cast<int>(std::count(reader.words.begin(), reader.words.end(), word));
  }

  testing::SharedStore store_;
  std::vector<std::unique_ptr<Server>> servers_;
};

}  // namespace seatlock::engine

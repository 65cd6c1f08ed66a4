#include "services/seatlock/engine/waiting_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace seatlock::engine {
namespace {

using ::testing::ElementsAre;

Work WorkOf(const std::string& name, decltype(domain::Command::body) body) {
  Work work;
  work.command.request_id = domain::RequestId(name);
  work.command.body = std::move(body);
  return work;
}
Work Lock(const std::string& name, const std::string& session) {
  return WorkOf(name, domain::LockSeats{.session = domain::SessionId(session)});
}
Work Unlock(const std::string& name, const std::string& session) {
  return WorkOf(name, domain::UnlockSeats{.session = domain::SessionId(session)});
}
Work Book(const std::string& name, const std::string& session) {
  return WorkOf(name, domain::BookSeats{.session = domain::SessionId(session)});
}
Work Cancel(const std::string& name) {
  return WorkOf(name, domain::CancelBooking{});
}

std::string NameOf(const Work& work) {
  return work.command.request_id->value();
}
std::vector<std::string> PopAll(WaitingCommands& commands, bool locking_first = false) {
  std::vector<std::string> names;
  while (!commands.empty()) {
    const std::string next = NameOf(commands.front(locking_first));
    names.push_back(NameOf(commands.Pop(locking_first)));
    EXPECT_EQ(names.back(), next);
  }
  return names;
}

TEST(WaitingCommandsTest, WhatSellsGoesFirst) {
  WaitingCommands commands;
  commands.Push(Lock("lock 1", "alice"));
  commands.Push(Unlock("unlock", "bob"));
  commands.Push(Book("book", "carol"));
  commands.Push(Lock("lock 2", "carol"));
  commands.Push(Cancel("cancel"));
  EXPECT_EQ(commands.size(), 5u);
  EXPECT_EQ(commands.size(Lane::kSelling), 2u);
  EXPECT_EQ(commands.size(Lane::kLocking), 3u);
  EXPECT_THAT(PopAll(commands), ElementsAre("book", "cancel", "lock 1", "unlock", "lock 2"));
}

TEST(WaitingCommandsTest, ABookingTakesItsSessionsEarlierCommandsAlong) {
  WaitingCommands commands;
  commands.Push(Lock("alice 1", "alice"));
  commands.Push(Lock("bob 1", "bob"));
  commands.Push(Unlock("alice 2", "alice"));
  commands.Push(Lock("bob 2", "bob"));
  commands.Push(Book("alice books", "alice"));
  commands.Push(Lock("alice 3", "alice"));
  EXPECT_THAT(PopAll(commands),
              ElementsAre("alice 1", "alice 2", "alice books", "bob 1", "bob 2", "alice 3"));
}

TEST(WaitingCommandsTest, LocksGoFirstOnceWhatSellsHasHadItsShare) {
  WaitingCommands commands;
  commands.Push(Book("book", "carol"));
  commands.Push(Lock("lock", "alice"));
  EXPECT_THAT(PopAll(commands, /*locking_first=*/true), ElementsAre("lock", "book"));
}

TEST(WaitingCommandsTest, WhatIsPutBackGoesBeforeAllInItsOrder) {
  WaitingCommands commands;
  commands.Push(Lock("second", "bob"));
  commands.Push(Book("first", "alice"));
  commands.Push(Lock("third", "carol"));
  std::vector<Work> batch;
  batch.push_back(commands.Pop());
  batch.push_back(commands.Pop());
  commands.Push(Book("fourth", "dora"));
  for (auto work = batch.rbegin(); work != batch.rend(); ++work) commands.PutBack(std::move(*work));
  EXPECT_EQ(commands.size(), 4u);
  EXPECT_THAT(PopAll(commands, /*locking_first=*/true),
              ElementsAre("first", "second", "third", "fourth"));
}

TEST(WaitingCommandsTest, AllAreTakenInOrder) {
  WaitingCommands commands;
  commands.Push(Lock("lock", "bob"));
  commands.Push(Book("book", "alice"));
  commands.PutBack(Cancel("put back"));
  std::vector<std::string> names;
  for (const Work& work : commands.TakeAll()) names.push_back(NameOf(work));
  EXPECT_THAT(names, ElementsAre("put back", "book", "lock"));
  EXPECT_TRUE(commands.empty());
}

}  // namespace
}  // namespace seatlock::engine

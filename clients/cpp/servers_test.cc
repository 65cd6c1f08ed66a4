#include "clients/cpp/servers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>

#include "clients/cpp/limits.h"
#include "clients/cpp/look_up.h"
#include "clients/cpp/scripted_service.h"
#include "seatlock/call_error.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::client {
namespace {

using ::seatlock::testing::IsOk;
using ::seatlock::testing::StatusIs;
using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;
using Clock = Servers::Clock;
using List = std::vector<std::string>;

constexpr milliseconds kSoon(20'000);
constexpr milliseconds kNone(0);

std::shared_ptr<Servers> Make(const List& list, LookUp look_up = SystemLookUp) {
  return Servers::Make({.list = list,
                        .away = Backoff(kSoon, kSoon),  // away means away for this test
                        .look_up = std::move(look_up)});
}

// Every server that showtimes prefer.
std::set<std::string> Preferred(Servers& servers) {
  servers.AwaitAddresses(Clock::now() + kSoon);
  std::set<std::string> found;
  for (int showtime = 0; showtime < 200; ++showtime) {
    found.insert(servers.Choose(std::to_string(showtime)).server->address);
  }
  return found;
}

TEST(ServersTest, AShowtimePrefersOneServerInWhateverOrderTheyAreNamed) {
  const auto servers = Make({"10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"});
  const auto others = Make({"10.0.0.3:1", "10.0.0.1:1", "10.0.0.2:1"});
  for (int number = 0; number < 100; ++number) {
    const std::string showtime = std::to_string(number);
    EXPECT_EQ(servers->Choose(showtime).server->address, others->Choose(showtime).server->address);
  }
  EXPECT_THAT(Preferred(*servers), UnorderedElementsAre("10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"));
}

TEST(ServersTest, TheNextInRankStandsInForOneThatIsAway) {
  const List list = {"10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"};
  const std::string showtime = ShowtimeThatPrefers(list);
  const auto servers = Make(list);
  for (const std::string& address : list) {
    const Servers::Choice choice = servers->Choose(showtime);
    EXPECT_EQ(choice.server->address, address);
    EXPECT_FALSE(choice.away);
    servers->Failed(*choice.server, kNone);
  }
  EXPECT_TRUE(servers->Choose(showtime).away);
}

TEST(ServersTest, IfAllAreAwayEachHasItsTurn) {
  const List list = {"10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"};
  const auto servers = Make(list);
  for (int i = 0; i < 3; ++i) servers->Failed(*servers->Choose("1").server, kNone);
  for (int round = 0; round < 3; ++round) {
    std::set<std::string> asked;
    for (int i = 0; i < 3; ++i) {
      const Servers::Choice choice = servers->Choose("1");
      EXPECT_TRUE(choice.away);
      asked.insert(choice.server->address);
    }
    EXPECT_EQ(asked.size(), 3U);
  }
}

TEST(ServersTest, AnAnswerBringsTheShowtimesBack) {
  const List list = {"10.0.0.1:1", "10.0.0.2:1"};
  const std::string showtime = ShowtimeThatPrefers(list);
  const auto servers = Make(list);
  const auto preferred = servers->Choose(showtime).server;
  servers->Failed(*preferred, kNone);
  ASSERT_EQ(servers->Choose(showtime).server->address, list[1]);
  servers->Answered(*preferred);
  EXPECT_EQ(servers->Choose(showtime).server->address, list[0]);
}

TEST(ServersTest, ANameOfSeveralAddressesIsAListOfThem) {
  const auto servers = Make({"seats.example:7", "10.0.0.9:7"}, [](const std::string& name) -> List {
    EXPECT_EQ(name, "seats.example:7");
    return {"10.0.0.1:7", "10.0.0.2:7", "10.0.0.9:7"};
  });
  EXPECT_THAT(Preferred(*servers), UnorderedElementsAre("10.0.0.1:7", "10.0.0.2:7", "10.0.0.9:7"));
}

TEST(ServersTest, TheOnlyNameStaysAsItWasGivenIfItHasOneAddress) {
  const auto servers =
      Make({"seats.example:7"}, [](const std::string&) -> List { return {"10.0.0.1:7"}; });
  EXPECT_THAT(Preferred(*servers), ElementsAre("seats.example:7"));
  EXPECT_FALSE(servers->several());
}

TEST(ServersTest, SeveralNamesOfOneAddressEachAreTheirAddresses) {
  const auto servers = Make({"a.example:7", "b.example:7"}, [](const std::string& name) -> List {
    return {name == "a.example:7" ? "10.0.0.1:7" : "10.0.0.2:7"};
  });
  EXPECT_THAT(Preferred(*servers), UnorderedElementsAre("10.0.0.1:7", "10.0.0.2:7"));
}

TEST(ServersTest, ANameThatCannotBeLookedUpIsLeftToGrpc) {
  const auto servers = Make({"seats.example:7"}, [](const std::string&) {
    return absl::StatusOr<List>(absl::UnavailableError("no name server"));
  });
  EXPECT_THAT(Preferred(*servers), ElementsAre("seats.example:7"));
}

TEST(ServersTest, TheAddressesOfNamesAreBounded) {
  const auto servers = Make({"seats.example:7"}, [](const std::string&) {
    List many;
    for (int i = 0; i < 200; ++i) many.push_back("10.0.0." + std::to_string(i) + ":7");
    return many;
  });
  servers->AwaitAddresses(Clock::now() + kSoon);
  EXPECT_EQ(servers->size(), kServersMax);
}

TEST(ServersTest, AddressesAreNeverLookedUp) {
  const auto servers = Make({"10.0.0.1:7", "[::1]:7"}, [](const std::string& name) -> List {
    ADD_FAILURE() << name;
    return {};
  });
  EXPECT_TRUE(servers->AddressesKnown());
  EXPECT_EQ(servers->size(), 2U);
}

// A name server that does not answer holds neither a caller up beyond its time, nor the end of the
// program.
TEST(ServersTest, NobodyWaitsForALookUpLongerThanItWants) {
  auto hangs = std::make_shared<std::atomic<bool>>(true);
  auto servers = Make({"seats.example:7"}, [hangs](const std::string&) -> List {
    while (*hangs) std::this_thread::yield();
    return {"10.0.0.1:7", "10.0.0.2:7"};
  });
  EXPECT_FALSE(servers->AddressesKnown());
  servers->AwaitAddresses(Clock::now() + milliseconds(20));
  EXPECT_EQ(servers->Choose("1").server->address, "seats.example:7");
  servers.reset();
  *hangs = false;
}

TEST(ServersTest, TheSystemKnowsEveryAddressOfAName) {
  const absl::StatusOr<List> addresses = SystemLookUp("localhost:7");
  ASSERT_THAT(addresses, IsOk());
  EXPECT_THAT(*addresses, Contains("127.0.0.1:7"));
  EXPECT_THAT(SystemLookUp("no-such-name.invalid:7"), StatusIs(absl::StatusCode::kUnavailable));
}

TEST(ConnectTest, SaysThatNothingWasDoneIfTheServerIsNotThere) {
  ScriptedService service;
  const auto servers = Make({service.target()});
  const auto server = servers->Choose("1").server;
  EXPECT_THAT(Connect(*server, Clock::now() + kSoon), IsOk());
  service.Stop();
  while (server->channel->GetState(false) == GRPC_CHANNEL_READY) std::this_thread::yield();
  EXPECT_TRUE(ErrorOf(Connect(*server, Clock::now() + kSoon)).NothingHappened());
}

// gRPC's own pause would be up to 2 s by then.
TEST(ConnectTest, FindsAServerThatIsBackBeforeGrpcsPauseIsOver) {
  ScriptedService service;
  const auto servers = Make({service.target()});
  const auto server = servers->Choose("1").server;
  service.Stop();
  for (int attempt = 0; attempt < 10; ++attempt) {
    EXPECT_FALSE(Connect(*server, Clock::now() + kSoon).ok());
  }
  service.Restart();
  absl::Status status = absl::UnknownError("not asked");
  for (int attempt = 0; attempt < 3 && !status.ok(); ++attempt) {
    status = Connect(*server, Clock::now() + kSoon);
  }
  EXPECT_THAT(status, IsOk());
}

}  // namespace
}  // namespace seatlock::client

// Names among the servers, whose addresses come and go.
#include <gmock/gmock.h>

#include <deque>
#include <optional>

#include "edge/upstream/servers_fixture.h"

namespace seatlock::edge {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using Found = absl::StatusOr<std::vector<std::string>>;

// Answers when it is told to.
class ScriptedResolver final : public Resolver {
 public:
  void Resolve(const std::string& host, Done done) override {
    hosts.push_back(host);
    if (answer) {
      done(*answer);
    } else {
      waiting.push_back(std::move(done));
    }
  }

  std::optional<Found> answer;  // At once, if there is one.
  std::vector<std::string> hosts;
  std::deque<Done> waiting;
};

// The same port on several addresses of this machine.
class NamesTest : public ServersTest {
 protected:
  static constexpr const char* kHosts[] = {"127.0.0.1", "127.0.0.2", "127.0.0.3"};

  NamesTest() {
    servers_.push_back(std::make_unique<testing::FakeService>());
    servers_.push_back(std::make_unique<testing::FakeService>(*servers_[0], kHosts[1]));
    servers_.push_back(std::make_unique<testing::FakeService>(*servers_[0], kHosts[2]));
    const std::string address = servers_[0]->address();
    name_ = "seats.test" + address.substr(address.rfind(':'));
  }
  ~NamesTest() override { EndClient(); }

  void StartWithName() { StartClient({name_}, &resolver_); }
  std::vector<std::string> Addresses() const {
    std::vector<std::string> addresses;
    for (const ServerStatus& server : client_->servers()) addresses.push_back(server.address);
    return addresses;
  }
  std::string Address(int server) const { return servers_[server]->address(); }

  std::string name_;
  ScriptedResolver resolver_;
};

TEST_F(NamesTest, ANameStandsForAllOfItsAddressesAndShowtimesRankThese) {
  resolver_.answer = Found({kHosts[2], kHosts[0], kHosts[1]});
  StartWithName();
  Run();
  EXPECT_THAT(Addresses(), ElementsAre(Address(0), Address(1), Address(2)));
  for (int i = 0; i < 20; ++i) {
    const std::string id = std::to_string(i);
    const int before = ServerOf(id).streams();
    View(id);
    EXPECT_EQ(ServerOf(id).streams(), before + 1);
  }
  EXPECT_THAT(resolver_.hosts, ElementsAre("seats.test"));
}

TEST_F(NamesTest, WhileANameIsLookedUpNothingBlocksAndShowtimesWait) {
  StartWithName();
  Viewed& one = Open("1");
  Run();
  EXPECT_THAT(told_, IsEmpty());
  ASSERT_THAT(resolver_.waiting, SizeIs(1));
  resolver_.waiting.front()(Found({kHosts[0]}));
  RunUntil([&] { return Live(one); });
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(NamesTest, ANameThatIsNotFoundIsSaidOnceAndFoundAsSoonAsItIsThere) {
  resolver_.answer = Found(absl::UnavailableError("no such host"));
  StartWithName();
  Viewed& one = Open("1");
  RunUntil([&] { return one.words.size() == 2; });
  EXPECT_THAT(one.words, ElementsAre("image unknown connecting", "away"));
  PassUnsettledMs(10 * kSecondMs);
  EXPECT_THAT(told_, UnorderedElementsAre(name_ + " no such host", "lost"));
  EXPECT_THAT(one.words, SizeIs(2));
  resolver_.answer = Found({kHosts[0]});
  timers_.AdvanceMs(kResolveMsMax);
  RunUntil([&] { return Live(one); });
  EXPECT_THAT(told_, Contains(name_ + " "));
}

TEST_F(NamesTest, LookupsArePacedAndAnAnswerThatNeverComesIsWaitedFor) {
  resolver_.answer = Found({kHosts[0], kHosts[1]});
  StartWithName();
  Run();
  RunUntil([&] { return CountOf(ServerState::kServing) == 2; });
  PassUnsettledMs(10 * kResolveMsMax);
  EXPECT_THAT(resolver_.hosts, SizeIs(11)) << "the first, and one each half minute";
  servers_[0]->Stop();
  RunUntil([&] { return CountOf(ServerState::kAway) == 1; });
  PassUnsettledMs(kResolveMsMin);
  EXPECT_THAT(resolver_.hosts, SizeIs(12)) << "sooner, for a server is away";
  resolver_.hosts.clear();
  PassUnsettledMs(10 * kResolveMsMax);
  EXPECT_LE(resolver_.hosts.size(), 15u) << "with growing pauses";
  resolver_.answer.reset();
  PassUnsettledMs(kResolveMsMax);
  resolver_.hosts.clear();
  PassUnsettledMs(10 * kResolveMsMax);
  EXPECT_THAT(resolver_.hosts, IsEmpty());
}

TEST_F(NamesTest, ANewAddressIsTakenInAndThoseWhoPreferItMoveThere) {
  resolver_.answer = Found({kHosts[0], kHosts[1]});
  StartWithName();
  Run();
  for (int i = 0; i < 20; ++i) {
    Say(std::to_string(i));
    View(std::to_string(i));
  }
  EXPECT_EQ(servers_[2]->streams(), 0);
  resolver_.answer = Found({kHosts[0], kHosts[1], kHosts[2]});
  PassMs(kResolveMsMax);
  WaitUntilServing(3);
  PassMs(kReturnMsMax);
  for (int i = 0; i < 20; ++i) {
    const std::string id = std::to_string(i);
    SayAndHear(id);
    EXPECT_THAT(viewed_.at(id)->words, ElementsAre("entry epoch-1/2"));
    if (RankOf(id)[0] == 2) {
      EXPECT_GT(servers_[2]->streams(), 0);
    }
  }
}

TEST_F(NamesTest, AnAddressThatANameLostStaysWhileItServesAndGoesOnceItIsAway) {
  resolver_.answer = Found({kHosts[0], kHosts[1]});
  StartWithName();
  Run();
  RunUntil([&] { return CountOf(ServerState::kServing) == 2; });
  resolver_.answer = Found({kHosts[1]});
  PassUnsettledMs(2 * kResolveMsMax);
  EXPECT_THAT(Addresses(), UnorderedElementsAre(Address(0), Address(1)));
  resolver_.answer = Found(absl::UnavailableError("the DNS is away"));
  PassUnsettledMs(2 * kResolveMsMax);
  EXPECT_THAT(Addresses(), UnorderedElementsAre(Address(0), Address(1)));
  servers_[0]->Stop();
  RunUntil([&] { return Addresses().size() == 1; });
  EXPECT_THAT(Addresses(), ElementsAre(Address(1)));
}

// As a container that was made anew.
TEST_F(NamesTest, AnOnlyServerThatIsBackAtAnotherAddressIsFound) {
  resolver_.answer = Found({kHosts[0]});
  StartWithName();
  Say("1");
  Viewed& one = View("1");
  resolver_.answer = Found({kHosts[1]});
  servers_[0]->Stop();
  RunUntil([&] { return !one.words.empty(); });
  timers_.AdvanceMs(kStreamBackoffMsMax);
  Run();
  RunUntil([&] { return Live(one); });
  EXPECT_THAT(one.words, ElementsAre("away", "live"));
  EXPECT_THAT(Addresses(), ElementsAre(Address(1)));
}

TEST_F(NamesTest, OneServerByNameAndByAddressIsOne) {
  resolver_.answer = Found({kHosts[0]});
  StartClient({Address(0), name_}, &resolver_);
  Run();
  EXPECT_THAT(Addresses(), ElementsAre(Address(0)));
}

TEST_F(NamesTest, ANameStandsForAtMostSoManyServers) {
  std::vector<std::string> many;
  for (int i = 1; i <= 200; ++i) many.push_back("127.0.1." + std::to_string(i));
  resolver_.answer = Found(many);
  StartWithName();
  Run();
  EXPECT_THAT(Addresses(), SizeIs(kServersMax));
}

TEST_F(NamesTest, AnAnswerMayComeWhenNobodyWaitsForItAnyMore) {
  StartWithName();
  Run();
  client_.reset();
  resolver_.waiting.front()(Found({kHosts[0]}));
  strand_.RunAll();
  timers_.AdvanceMs(2 * kResolveMsMax);
}

}  // namespace
}  // namespace seatlock::edge

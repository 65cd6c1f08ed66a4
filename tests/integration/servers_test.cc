// A list of servers, with real processes: one seatlockd that two addresses lead to, or one address
// of two. It listens on every address of the machine, of which 127.0.0.1 and 127.0.0.2 are two.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "seatlock/client.h"
#include "tests/testing/programs.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class ServersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = StartSeatlockd(
        {.binary = SEATLOCKD_BINARY, .listen = "0.0.0.0:0", .args = {"--allow-plaintext"}});
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
    const std::string& address = server_->address();
    port_ = address.substr(address.rfind(':'));
  }
  // Nobody listens on port 1.
  std::string List() const { return "127.0.0.1:1,127.0.0.1" + port_ + ",127.0.0.2" + port_; }

  static ProcessExit Seatctl(std::vector<std::string> args, std::vector<std::string>* errors) {
    auto seatctl = Process::Start({.binary = SEATCTL_BINARY, .args = std::move(args)});
    EXPECT_THAT(seatctl, IsOk());
    const auto exit = (*seatctl)->Wait(kStartTimeout);
    EXPECT_THAT(exit, IsOk());
    *errors = (*seatctl)->StderrLines();
    return exit.value_or(ProcessExit{});
  }

  std::unique_ptr<Program> server_;
  std::string port_;
};

TEST_F(ServersTest, SeatctlFindsTheServersThatAreThereWhicheverAShowtimePrefers) {
  for (int showtime = 0; showtime < 12; ++showtime) {
    std::vector<std::string> errors;
    const std::string id = std::to_string(showtime);
    EXPECT_EQ(Seatctl({"--server", List(), "lock", id, "A06", "--session", "s"}, &errors).code, 0);
    EXPECT_THAT(errors, SizeIs(0));
  }
}

TEST_F(ServersTest, AListThatIsWrongIsOneLineAndExit2) {
  for (const char* list : {"127.0.0.1:1,", "127.0.0.1:1,127.0.0.1:1", "127.0.0.1:1,nowhere"}) {
    std::vector<std::string> errors;
    EXPECT_EQ(Seatctl({"--server", list, "get", "123"}, &errors).code, 2);
    EXPECT_THAT(errors, SizeIs(1));
  }
}

TEST_F(ServersTest, AFailureNamesTheServerThatWasAsked) {
  std::vector<std::string> errors;
  EXPECT_EQ(Seatctl({"--server", "127.0.0.1:1,127.0.0.2:1", "get", "123"}, &errors).code, 3);
  ASSERT_FALSE(errors.empty());
  EXPECT_THAT(errors[0], HasSubstr(":1)"));
}

TEST_F(ServersTest, AWatchAndCallsGoOnBesideAServerThatIsNotThere) {
  client::ClientOptions options;
  options.servers = {"127.0.0.1:1", "127.0.0.1" + port_, "127.0.0.2" + port_};
  client::Client client(options);
  for (int number = 0; number < 12; ++number) {
    v1::LockSeatRequest lock;
    lock.set_showtime_id(std::to_string(number));
    lock.set_seat_id("A06");
    lock.set_session_id("s");
    ASSERT_THAT(client.LockSeat(lock), IsOk());
    v1::WatchShowtimeRequest watch;
    watch.set_showtime_id(lock.showtime_id());
    const auto event = client.WatchShowtime(watch)->Next(kStartTimeout);
    ASSERT_THAT(event, IsOk());
    EXPECT_EQ(std::get<v1::ShowtimeSnapshot>(*event).revision(), 1U);
  }
}

}  // namespace
}  // namespace seatlock::testing

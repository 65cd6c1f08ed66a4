#include "common/runtime/service_manager.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "tests/testing/notify_socket.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::runtime {
namespace {

class ServiceManagerTest : public ::testing::Test {
 protected:
  ServiceManagerTest() { setenv("NOTIFY_SOCKET", socket_.path().c_str(), 1); }
  ~ServiceManagerTest() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(name);
  }

  std::string Next() { return socket_.Next().value_or("nothing"); }

  testing::TempDir dir_;
  testing::NotifySocket socket_{dir_.File("notify")};
};

TEST_F(ServiceManagerTest, SaysReadyStatusAndStopping) {
  ServiceManager manager;
  manager.Ready("serving on 127.0.0.1:50051");
  EXPECT_EQ(Next(), "READY=1\nSTATUS=serving on 127.0.0.1:50051");
  manager.Status("not serving: Redis is away");
  EXPECT_EQ(Next(), "STATUS=not serving: Redis is away");
  manager.Stopping("draining", 12'345);
  EXPECT_EQ(Next(), "STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=12345000");
  manager.Status("not serving: Redis is away");
  EXPECT_EQ(Next(), "nothing");
}

TEST_F(ServiceManagerTest, AStatusThatIsNoNewsIsNotSent) {
  ServiceManager manager;
  manager.Ready("serving");
  EXPECT_EQ(Next(), "READY=1\nSTATUS=serving");
  manager.Status("serving");
  EXPECT_EQ(Next(), "nothing");
}

TEST_F(ServiceManagerTest, AStatusCannotSayAnythingElse) {
  ServiceManager manager;
  manager.Status("away\nWATCHDOG=trigger");
  EXPECT_EQ(Next(), "STATUS=away WATCHDOG=trigger");
  manager.Status(std::string(10'000, 'x'));
  EXPECT_EQ(Next(), "STATUS=" + std::string(ServiceManager::kStatusBytesMax, 'x'));
}

TEST_F(ServiceManagerTest, AStatusThatFoundNoRoomIsSentWithTheNextCall) {
  ServiceManager manager;
  // Nobody reads: the socket fills up.
  for (int sent = 0; sent < 5'000; ++sent) manager.Status("line " + std::to_string(sent));
  manager.Status("the last");
  std::string last;
  while (const std::optional<std::string> text = socket_.Next()) last = *text;
  EXPECT_NE(last, "STATUS=the last") << "the socket takes more than this test sends";
  manager.Status("the last");
  EXPECT_EQ(Next(), "STATUS=the last");
}

TEST_F(ServiceManagerTest, IsWatchedIfTheVariableSaysSoOfThisProcess) {
  EXPECT_EQ(ServiceManager().watchdog_ms(), std::nullopt);
  setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(ServiceManager().watchdog_ms(), 30'000);
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  EXPECT_EQ(ServiceManager().watchdog_ms(), 30'000);
  setenv("WATCHDOG_PID", std::to_string(getppid()).c_str(), 1);
  EXPECT_EQ(ServiceManager().watchdog_ms(), std::nullopt);
  unsetenv("WATCHDOG_PID");
  for (const char* nonsense : {"0", "-1", "soon", ""}) {
    setenv("WATCHDOG_USEC", nonsense, 1);
    EXPECT_EQ(ServiceManager().watchdog_ms(), std::nullopt) << nonsense;
  }
}

TEST_F(ServiceManagerTest, WithoutASocketNobodyIsToldOrWatched) {
  setenv("WATCHDOG_USEC", "30000000", 1);
  for (const std::string& name :
       {std::string(), std::string("relative"), std::string("@"), "/" + std::string(200, 'x')}) {
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
    ServiceManager manager;
    manager.Ready("serving");
    manager.Ping();
    EXPECT_EQ(manager.watchdog_ms(), std::nullopt) << name;
    EXPECT_EQ(Next(), "nothing");
  }
}

TEST_F(ServiceManagerTest, ASocketThatIsGoneIsSurvived) {
  ServiceManager manager;
  unlink(socket_.path().c_str());
  manager.Ready("serving");
  manager.Ping();
  EXPECT_EQ(Next(), "nothing");
}

}  // namespace
}  // namespace seatlock::runtime

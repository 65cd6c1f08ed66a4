#include "common/runtime/supervision.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "tests/testing/fake_clock.h"
#include "tests/testing/notify_socket.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::runtime {
namespace {

TEST(SupervisionTest, SaysReadyWithTheStatusAndItsChangesOnceASecond) {
  testing::TempDir dir;
  testing::NotifySocket socket(dir.File("notify"));
  setenv("NOTIFY_SOCKET", socket.path().c_str(), 1);
  ServiceManager manager;
  unsetenv("NOTIFY_SOCKET");
  testing::FakeClock clock;
  std::string status = "not serving: Redis is away";
  Supervision supervision(manager, clock, {}, [&status] { return status; });
  supervision.Ready();
  EXPECT_EQ(socket.Next(), "READY=1\nSTATUS=not serving: Redis is away");
  supervision.Tick();
  status = "serving";
  for (int i = 0; i < 9; ++i) {
    clock.AdvanceMs(100);
    supervision.Tick();
  }
  EXPECT_EQ(socket.Next(), std::nullopt) << "less than a second has passed";
  clock.AdvanceMs(100);
  supervision.Tick();
  EXPECT_EQ(socket.Next(), "STATUS=serving");
}

}  // namespace
}  // namespace seatlock::runtime

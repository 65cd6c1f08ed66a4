#include "edge/upstream/resolver.h"

#include <gmock/gmock.h>

#include <future>

#include "tests/testing/status_matchers.h"

namespace seatlock::edge {
namespace {

absl::StatusOr<std::vector<std::string>> Resolve(const std::string& host) {
  const auto answer = std::make_shared<std::promise<absl::StatusOr<std::vector<std::string>>>>();
  SystemResolver().Resolve(host, [answer](auto found) { answer->set_value(std::move(found)); });
  return answer->get_future().get();
}

TEST(SystemResolver, FindsTheAddressesOfAName) {
  const auto found = Resolve("localhost");
  ASSERT_THAT(found, testing::IsOk());
  EXPECT_THAT(*found, ::testing::Contains(::testing::AnyOf("127.0.0.1", "::1")));
}

TEST(SystemResolver, SaysWhyThereIsNone) {
  const auto found = Resolve("no-such-host.invalid");
  ASSERT_FALSE(found.ok());
  EXPECT_NE(found.status().message(), "");
}

}  // namespace
}  // namespace seatlock::edge

#include "services/seatlock/rpc/page_token.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "services/seatlock/domain/limits.h"
#include "services/seatlock/rpc/limits.h"

namespace seatlock::rpc {
namespace {

TEST(PageTokenTest, GivesTheShowtimeBack) {
  for (const std::string& id : {std::string("1"),
                                std::string("S\xC3\xA9"
                                            "ance {7}/8?"),
                                std::string(domain::kShowtimeIdBytesMax, '\x7e')}) {
    const std::string token = PageTokenAfter(domain::ShowtimeId(id));
    EXPECT_LE(token.size(), kPageTokenBytesMax);
    EXPECT_EQ(ParsePageToken(token), domain::ShowtimeId(id));
  }
}

TEST(PageTokenTest, NoTokenIsTheFirstPage) {
  EXPECT_EQ(ParsePageToken(""), domain::ShowtimeId());
}

TEST(PageTokenTest, WhatIsNoTokenIsNotTaken) {
  const std::string good = PageTokenAfter(domain::ShowtimeId("12"));
  const auto encoded = [](const std::string& text) { return absl::WebSafeBase64Escape(text); };
  const std::string cases[] = {
      "123",
      "not a token",
      "****",
      good + "=",
      good + " ",
      " " + good,
      good.substr(1),
      good + good,
      encoded("12"),
      encoded("\x02"
              "12"),
      encoded("\x01"),
      encoded("\x01\xff"),
      encoded("\x01 12\n"),
      encoded("\x01" + std::string(domain::kShowtimeIdBytesMax + 1, 'x')),
      std::string(kPageTokenBytesMax + 1, 'A'),
      std::string(60'000, 'A'),
  };
  for (const std::string& token : cases) EXPECT_EQ(ParsePageToken(token), std::nullopt) << token;
}

}  // namespace
}  // namespace seatlock::rpc

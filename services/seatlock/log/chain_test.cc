#include "services/seatlock/log/chain.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"

namespace seatlock::log {
namespace {

using domain::Epoch;
using domain::Revision;
using domain::ShowtimeId;

std::string Hex(const Chain& chain) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(chain.data()), chain.size()));
}

// The expected values were made with Python's hashlib after chain.h.
TEST(ChainTest, IsSha256OverTheWrittenForm) {
  const Chain start = ChainStart(ShowtimeId("show-1"), Epoch("epoch-1"));
  EXPECT_EQ(Hex(start), "4bd8e470c70f77274676c5ee59d36f0c1d2563544395440269cd7a1d27a1b784");
  EXPECT_EQ(Hex(ChainNext(start, Revision(258), std::string_view("a\0b", 3))),
            "addc609d6fb70b66f6bc93a85c0561d368970707335129789603c23708f31530");
}

TEST(ChainTest, DependsOnShowtimeEpochRevisionBytesAndWhatCameBefore) {
  const Chain start = ChainStart(ShowtimeId("s"), Epoch("e"));
  EXPECT_NE(start, ChainStart(ShowtimeId("t"), Epoch("e")));
  EXPECT_NE(start, ChainStart(ShowtimeId("s"), Epoch("f")));
  EXPECT_NE(ChainStart(ShowtimeId("a"), Epoch("bc")), ChainStart(ShowtimeId("ab"), Epoch("c")));
  const Chain next = ChainNext(start, Revision(1), "x");
  EXPECT_NE(next, ChainNext(start, Revision(2), "x"));
  EXPECT_NE(next, ChainNext(start, Revision(1), "y"));
  EXPECT_NE(next, ChainNext(next, Revision(1), "x"));
}

}  // namespace
}  // namespace seatlock::log

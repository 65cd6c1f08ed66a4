// A JWKS file with one HS256 key, as --token-jwks reads it, that a test may replace. For unit
// tests: it is read again at once. Thread-compatible.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "common/base/reloaded.h"
#include "common/jwt/key_set.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/tokens.h"

namespace seatlock::testing {

inline void WriteJwks(const std::string& path, const std::vector<TokenKey>& keys) {
  // Renamed into place, as whoever changes keys should.
  const std::string draft = path + ".draft";
  std::ofstream(draft) << Jwks(keys);
  ASSERT_EQ(std::rename(draft.c_str(), path.c_str()), 0);
}

class TokenFile {
 public:
  TokenFile() {
    WriteJwks(path(), {key_});
    auto keys = base::Reloaded<jwt::KeySet>::Open(
        clock_, {path()},
        [path = path()] {
          const auto text = base::ReadFile(path, 1 << 16);
          return jwt::KeySet::Parse(text.value_or(""), jwt::SharedSecrets::kAllowed);
        },
        [](const absl::Status& status) { EXPECT_TRUE(status.ok()) << status; });
    EXPECT_TRUE(keys.ok()) << keys.status();
    keys_ = *std::move(keys);
  }

  std::string path() const { return dir_.File("jwks.json"); }
  const TokenKey& key() const { return key_; }
  const base::Reloaded<jwt::KeySet>& keys() const { return *keys_; }

  // Another key stands in its place.
  void ReplaceKey() {
    key_ = TokenKey::Hs256("b", std::string(32, 'b'));
    WriteJwks(path(), {key_});
    for (int look = 0; look < 2; ++look) {
      clock_.AdvanceMs(1000);
      keys_->Tick();
    }
  }

 private:
  TempDir dir_;
  FakeClock clock_;
  TokenKey key_ = TokenKey::Hs256("a", std::string(32, 'a'));
  std::unique_ptr<base::Reloaded<jwt::KeySet>> keys_;
};

}  // namespace seatlock::testing

#include "services/seatlock/guard/key_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/seatlock/guard/keys_command.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::guard {
namespace {

using ::seatlock::testing::IsOk;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Hex(const std::string& key) {
  return absl::BytesToHexString(Sha256(key));
}

std::string Fault(const std::string& text) {
  const auto file = KeyFile::Parse(text, "keys.txt");
  return file.ok() ? "" : std::string(file.status().message());
}

TEST(KeyFileTest, FindsKeysAndCertificatesByTheirHash) {
  const auto file =
      KeyFile::Parse(absl::StrCat("# callers\n\n shop\tsha256:", Hex("one"), "  lock,book \r\n",
                                  "office cert:", absl::AsciiStrToUpper(Hex("der")), " admin"),
                     "keys.txt");
  ASSERT_THAT(file, IsOk());
  const Identity* shop = file->OfKey(Sha256("one"));
  ASSERT_NE(shop, nullptr);
  EXPECT_EQ(shop->principal, "shop");
  EXPECT_EQ(shop->scopes, ScopeSet({Scope::kLock, Scope::kBook}));
  EXPECT_EQ(file->OfCertificate(Sha256("der"))->principal, "office");
  EXPECT_EQ(file->OfKey(Sha256("der")), nullptr);
  EXPECT_EQ(file->OfCertificate(Sha256("one")), nullptr);
  EXPECT_EQ(file->OfKey(Sha256("two")), nullptr);
  EXPECT_EQ(file->OfKey("short"), nullptr);
}

// Only the first 8 bytes pick the entry: the rest must count, too.
TEST(KeyFileTest, TheWholeHashIsCompared) {
  const auto file = KeyFile::Parse(absl::StrCat("a sha256:", Hex("one"), " lock"), "keys.txt");
  ASSERT_THAT(file, IsOk());
  std::string digest = Sha256("one");
  for (size_t i = 0; i < digest.size(); ++i) {
    std::string changed = digest;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_EQ(file->OfKey(changed), nullptr) << i;
  }
  EXPECT_NE(file->OfKey(digest), nullptr);
}

TEST(KeyFileTest, OneIdMayHaveTwoKeysWhileTheyAreReplaced) {
  const auto file = KeyFile::Parse(
      absl::StrCat("a sha256:", Hex("old"), " lock\na sha256:", Hex("new"), " lock"), "k");
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->OfKey(Sha256("old"))->principal, file->OfKey(Sha256("new"))->principal);
}

TEST(KeyFileTest, AWrongLineIsNamed) {
  const std::string good = absl::StrCat("a sha256:", Hex("one"), " lock\n");
  EXPECT_EQ(Fault(good), "");
  for (const std::string& line : std::vector<std::string>{
           "a", "a b", absl::StrCat("a sha256:", Hex("x")), absl::StrCat("a ", Hex("x"), " lock"),
           absl::StrCat("a md5:", Hex("x"), " lock"),
           absl::StrCat("a sha256:", Hex("x").substr(1), " lock"),
           absl::StrCat("a sha256:", Hex("x").substr(1), "g lock"),
           absl::StrCat("a sha256:", Hex("x"), " "), absl::StrCat("a sha256:", Hex("x"), " lock,"),
           absl::StrCat("a sha256:", Hex("x"), " lock,lock"),
           absl::StrCat("a sha256:", Hex("x"), " lock book"),
           absl::StrCat("a sha256:", Hex("x"), " root"), absl::StrCat("a sha256:", Hex("x"), " *"),
           absl::StrCat("\x01 sha256:", Hex("x"), " lock"),
           absl::StrCat(std::string(129, 'a'), " sha256:", Hex("x"), " lock"),
           absl::StrCat("b sha256:", Hex("one"), " book")}) {
    const std::string fault = Fault(absl::StrCat(good, line, "\n", good));
    EXPECT_THAT(fault, StartsWith("keys.txt:2: ")) << line;
    EXPECT_THAT(fault, Not(HasSubstr(Hex("x").substr(1)))) << line;
  }
}

TEST(KeyFileTest, AFileThatLetsNobodyInIsRefused) {
  EXPECT_EQ(Fault(""), "keys.txt: has no key");
  EXPECT_EQ(Fault("# nobody\n"), "keys.txt: has no key");
}

struct Ran {
  int code;
  std::string out;
  std::string err;
};

Ran RunKeys(const std::vector<std::string>& args) {
  char* out = nullptr;
  char* err = nullptr;
  size_t out_size = 0;
  size_t err_size = 0;
  std::FILE* const out_file = open_memstream(&out, &out_size);
  std::FILE* const err_file = open_memstream(&err, &err_size);
  const int code = RunKeysCommand(args, out_file, err_file);
  std::fclose(out_file);
  std::fclose(err_file);
  Ran ran{code, {out, out_size}, {err, err_size}};
  std::free(out);
  std::free(err);
  return ran;
}

TEST(KeysCommandTest, PrintsAKeyAndTheLineThatTakesIt) {
  const Ran ran = RunKeys({"new", "--scopes", "lock,book", "--id=shop"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const std::vector<std::string> lines = absl::StrSplit(ran.out, '\n');
  ASSERT_EQ(lines.size(), 3u);  // the last is empty
  EXPECT_EQ(lines[0].size(), 43u);
  const auto file = KeyFile::Parse(lines[1], "keys.txt");
  ASSERT_THAT(file, IsOk());
  const Identity* shop = file->OfKey(Sha256(lines[0]));
  ASSERT_NE(shop, nullptr);
  EXPECT_EQ(shop->principal, "shop");
  EXPECT_EQ(shop->scopes.ToString(), "lock,book");
  EXPECT_NE(RunKeys({"new", "--scopes=lock"}).out, RunKeys({"new", "--scopes=lock"}).out);
}

TEST(KeysCommandTest, AWrongArgumentIsOneLine) {
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{{},
                                             {"old"},
                                             {"new"},
                                             {"new", "--scopes"},
                                             {"new", "--scopes="},
                                             {"new", "--scopes=root"},
                                             {"new", "--scopes=lock", "--id="},
                                             {"new", "--scopes=lock", "--id=a b"},
                                             {"new", "--scopes=lock", "--key=x"}}) {
    const Ran ran = RunKeys(args);
    EXPECT_EQ(ran.code, 2);
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
  }
}

}  // namespace
}  // namespace seatlock::guard

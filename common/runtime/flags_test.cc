#include "common/runtime/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "common/runtime/version.h"

namespace seatlock::runtime {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A program with one flag of each kind.
class FlagsTest : public ::testing::Test {
 protected:
  FlagsTest() {
    flags_.Address(&listen_, "listen", "where it listens");
    flags_.String(&store_, "store", "where it stores");
    flags_.File(&key_, "key", "what protects it");
    flags_.Int(&seats_, "max-seats", 1, 100, "how many seats");
    flags_.Bool(&reflection_, "reflection", "whether it tells its services");
    flags_.DurationMs(&drain_ms_, "drain", 0, 60'000, "how long it drains");
    flags_.Choice(&color_, "color", {"red", "green"}, "its color");
    const auto set_port = [this](std::string_view text) {
      const absl::StatusOr<uint16_t> port = ParsePort(text);
      if (port.ok()) listen_.port = *port;
      return port.status();
    };
    flags_.EnvAlias("FLAGS_TEST_PORT", "listen", "the port of --listen", set_port);
    const auto set_even = [this](std::string_view text) {
      if (text != "2" && text != "4") return absl::InvalidArgumentError("must be 2 or 4");
      even_ = text[0] - '0';
      return absl::OkStatus();
    };
    flags_.Custom("even", "2|4", "a number", set_even, [this] { return std::to_string(even_); });
  }
  ~FlagsTest() override {
    for (const std::string& name : set_) unsetenv(name.c_str());
  }

  void SetEnv(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
    set_.push_back(name);
  }

  std::optional<int> Parse(std::vector<const char*> args) {
    args.insert(args.begin(), "prog");
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const std::optional<int> code = flags_.Parse(static_cast<int>(args.size()), args.data());
    out_ = ::testing::internal::GetCapturedStdout();
    err_ = ::testing::internal::GetCapturedStderr();
    return code;
  }

  HostPort listen_{.host = "127.0.0.1", .port = 1};
  std::string store_ = "memory:";
  std::string key_;
  int64_t seats_ = 10;
  bool reflection_ = true;
  int64_t drain_ms_ = 5000;
  std::string color_ = "red";
  int even_ = 2;
  Flags flags_{"prog", "A program.", "FLAGS_TEST_"};
  std::string out_;
  std::string err_;

 private:
  std::vector<std::string> set_;
};

TEST_F(FlagsTest, DefaultsStandWhereNothingIsGiven) {
  EXPECT_EQ(Parse({}), std::nullopt);
  EXPECT_EQ(listen_.ToString(), "127.0.0.1:1");
  EXPECT_EQ(seats_, 10);
  EXPECT_EQ(err_, "");
}

TEST_F(FlagsTest, EveryKindIsRead) {
  EXPECT_EQ(Parse({"--listen=[::]:80", "--store", "sqlite:x.db", "--max-seats=7",
                   "--reflection=false", "--drain=1m", "--color", "green", "--even=4"}),
            std::nullopt)
      << err_;
  EXPECT_EQ(listen_.ToString(), "[::]:80");
  EXPECT_EQ(store_, "sqlite:x.db");
  EXPECT_EQ(seats_, 7);
  EXPECT_FALSE(reflection_);
  EXPECT_EQ(drain_ms_, 60'000);
  EXPECT_EQ(color_, "green");
  EXPECT_EQ(even_, 4);
}

TEST_F(FlagsTest, SwitchNeedsNoValue) {
  reflection_ = false;
  EXPECT_EQ(Parse({"--reflection"}), std::nullopt);
  EXPECT_TRUE(reflection_);
}

TEST_F(FlagsTest, LastOfRepeatedFlagsCounts) {
  EXPECT_EQ(Parse({"--max-seats=7", "--max-seats=8"}), std::nullopt) << err_;
  EXPECT_EQ(seats_, 8);
}

TEST_F(FlagsTest, EnvironmentBeatsDefaultAndFlagBeatsEnvironment) {
  SetEnv("FLAGS_TEST_MAX_SEATS", "20");
  SetEnv("FLAGS_TEST_STORE", "sqlite:env.db");
  EXPECT_EQ(Parse({"--max-seats=30"}), std::nullopt);
  EXPECT_EQ(seats_, 30);
  EXPECT_EQ(store_, "sqlite:env.db");
}

TEST_F(FlagsTest, EmptyVariableCountsAsUnset) {
  SetEnv("FLAGS_TEST_MAX_SEATS", "");
  EXPECT_EQ(Parse({}), std::nullopt);
  EXPECT_EQ(seats_, 10);
}

TEST_F(FlagsTest, NothingForAFileIsRefused) {
  EXPECT_EQ(Parse({"--key=/run/key.pem"}), std::nullopt) << err_;
  EXPECT_EQ(key_, "/run/key.pem");
  EXPECT_EQ(Parse({"--key="}), 2);
  EXPECT_THAT(err_, HasSubstr("prog: --key"));
  SetEnv("FLAGS_TEST_KEY", "");
  EXPECT_EQ(Parse({}), 2);
  EXPECT_EQ(err_, "prog: FLAGS_TEST_KEY must name a file, or be left out altogether (got '')\n");
  EXPECT_EQ(Parse({"--key=/run/key.pem"}), std::nullopt) << err_;
}

TEST_F(FlagsTest, ValuesThatDoNotFitTogetherAreOneLine) {
  flags_.Check([this] {
    return seats_ == 7 && color_ == "red" ? absl::InvalidArgumentError("--max-seats=7 needs green")
                                          : absl::OkStatus();
  });
  EXPECT_EQ(Parse({"--max-seats=7", "--print-config"}), 2);
  EXPECT_EQ(err_, "prog: --max-seats=7 needs green\n");
  EXPECT_EQ(Parse({"--max-seats=7", "--color=green"}), std::nullopt) << err_;
}

TEST_F(FlagsTest, AliasIsWeakerThanTheFlagsOwnVariable) {
  SetEnv("FLAGS_TEST_PORT", "8081");
  EXPECT_EQ(Parse({}), std::nullopt);
  EXPECT_EQ(listen_.ToString(), "127.0.0.1:8081");
  SetEnv("FLAGS_TEST_LISTEN", "0.0.0.0:9");
  EXPECT_EQ(Parse({}), std::nullopt);
  EXPECT_EQ(listen_.ToString(), "0.0.0.0:9");
}

TEST_F(FlagsTest, HostWithoutAPortKeepsTheAliasPort) {
  SetEnv("FLAGS_TEST_PORT", "8081");
  SetEnv("FLAGS_TEST_LISTEN", "0.0.0.0:");
  EXPECT_EQ(Parse({}), std::nullopt);
  EXPECT_EQ(listen_.ToString(), "0.0.0.0:8081");
  EXPECT_EQ(Parse({"--listen=[::]:"}), std::nullopt);
  EXPECT_EQ(listen_.ToString(), "[::]:8081");
}

TEST_F(FlagsTest, BadFlagIsOneLineThatNamesIt) {
  const std::pair<const char*, const char*> cases[] = {
      {"--listen=nowhere", "prog: --listen must be host:port"},
      {"--max-seats=0", "prog: --max-seats must be a whole number between 1 and 100 (got '0')"},
      {"--max-seats=9x", "--max-seats must be"},
      {"--reflection=maybe", "--reflection must be true or false"},
      {"--drain=10", "--drain must be a time with its unit"},
      {"--drain=61s", "between 0 and 1m"},
      {"--color=blue", "--color must be one of red, green (got 'blue')"},
      {"--even=3", "prog: --even must be 2 or 4 (got '3')"},
      {"--unknown=1", "--unknown"},
      {"stray", "stray"},
      {"--listen", "--listen"}};
  for (const auto& [argument, complaint] : cases) {
    EXPECT_EQ(Parse({argument}), 2) << argument;
    EXPECT_THAT(err_, AllOf(HasSubstr("prog: "), HasSubstr(complaint))) << argument;
    EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 1) << err_;
    EXPECT_EQ(out_, "");
  }
}

TEST_F(FlagsTest, BadVariableIsOneLineThatNamesIt) {
  SetEnv("FLAGS_TEST_DRAIN", "soon");
  EXPECT_EQ(Parse({}), 2);
  EXPECT_THAT(err_, HasSubstr("prog: FLAGS_TEST_DRAIN must be a time"));
  SetEnv("FLAGS_TEST_PORT", "eighty");
  EXPECT_EQ(Parse({}), 2);
  EXPECT_THAT(err_, HasSubstr("FLAGS_TEST_PORT must be a port between 0 and 65535 (got 'eighty')"));
}

TEST_F(FlagsTest, PrintConfigShowsWhatWouldHold) {
  SetEnv("FLAGS_TEST_MAX_SEATS", "20");
  EXPECT_EQ(Parse({"--print-config", "--drain=1500ms"}), 0);
  EXPECT_EQ(out_,
            "listen=127.0.0.1:1\nstore=memory:\nkey=\nmax-seats=20\nreflection=true\ndrain=1.5s\n"
            "color=red\neven=2\n");
}

TEST_F(FlagsTest, BadVariableDoesNotMatterWhereItsFlagIsGiven) {
  SetEnv("FLAGS_TEST_LISTEN", "bad");
  SetEnv("FLAGS_TEST_PORT", "eighty");
  EXPECT_EQ(Parse({"--listen=127.0.0.1:9"}), std::nullopt) << err_;
  EXPECT_EQ(listen_.ToString(), "127.0.0.1:9");
  EXPECT_EQ(Parse({"--max-seats=9"}), 2);
  EXPECT_THAT(err_, HasSubstr("FLAGS_TEST_PORT must be a port"));
}

TEST_F(FlagsTest, PrintConfigRefusesWhatRunningWould) {
  EXPECT_EQ(Parse({"--print-config", "--even=3"}), 2);
  EXPECT_EQ(out_, "");
  SetEnv("FLAGS_TEST_EVEN", "5");
  EXPECT_EQ(Parse({"--print-config"}), 2);
  EXPECT_THAT(err_, HasSubstr("FLAGS_TEST_EVEN must be 2 or 4 (got '5')"));
  EXPECT_EQ(out_, "");
}

TEST_F(FlagsTest, HelpAndVersionAnswerWhateverElseIsWrong) {
  SetEnv("FLAGS_TEST_LISTEN", "bad");
  for (const char* ask : {"--help", "--version"}) {
    for (const char* wrong : {"--max-seats=0", "--unknown=1", "stray"}) {
      EXPECT_EQ(Parse({wrong, ask}), 0) << wrong << " " << ask << ": " << err_;
      EXPECT_EQ(err_, "");
      EXPECT_THAT(out_, HasSubstr(ask == std::string("--help") ? "A program." : "prog 0."));
    }
  }
}

TEST_F(FlagsTest, HelpNamesFlagsDefaultsAndVariables) {
  EXPECT_EQ(Parse({"--help"}), 0);
  EXPECT_THAT(out_, AllOf(HasSubstr("A program."), HasSubstr("--max-seats NUMBER"),
                          HasSubstr("[10]"), HasSubstr("FLAGS_TEST_MAX_SEATS"),
                          HasSubstr("FLAGS_TEST_PORT"), HasSubstr("--print-config")));
}

TEST_F(FlagsTest, VersionNamesProgramAndRevision) {
  EXPECT_EQ(Parse({"--version"}), 0);
  EXPECT_EQ(out_, VersionLine("prog") + "\n");
  EXPECT_THAT(out_, AllOf(HasSubstr("prog 0."), HasSubstr(std::string(GitRevision()))));
}

}  // namespace
}  // namespace seatlock::runtime

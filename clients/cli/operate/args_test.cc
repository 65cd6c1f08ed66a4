// The command line of the four commands, by the parser of the whole of seatctl.
#include "clients/cli/args.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <vector>

namespace seatlock::cli {
namespace {

using ::testing::HasSubstr;

ParsedArgs Parse(std::vector<const char*> args) {
  args.insert(args.begin(), "seatctl");
  return ParseArgs(static_cast<int>(args.size()), args.data());
}

TEST(OperateArgsTest, EachCommandRunsByItself) {
  for (const std::vector<const char*>& args :
       {std::vector<const char*>{"status"},
        {"--admin=a:1,b:2", "status", "--server=c:3", "-o", "json"},
        {"top", "--interval=500ms", "--count=3", "--showtimes=0", "--no-color"},
        {"map", "123", "--layout=hall.json", "--once"},
        {"doctor", "--ws=wss://a/ws/seat-updates", "--idle=70s", "--admin", "[::1]:9101"}}) {
    const ParsedArgs parsed = Parse(args);
    EXPECT_EQ(parsed.exit_code, std::nullopt) << parsed.text;
    EXPECT_NE(parsed.args.run, nullptr);
  }
  EXPECT_EQ(Parse({"get", "123"}).args.run, nullptr);
}

TEST(OperateArgsTest, BadInputIsOneClearLine) {
  const std::pair<std::vector<const char*>, const char*> cases[] = {
      {{"status", "--admin=a"}, "--admin must be host:port"},
      {{"status", "--admin=a:1,,b:2"}, "--admin must be host:port"},
      {{"status", "--admin="}, "--admin"},
      {{"status", "--admin=a:0"}, "--admin must have a port that is not 0"},
      {{"status", "--admin=a:1,a:1"}, "--admin names a:1 twice"},
      {{"status", "--server=a"}, "--server"},
      {{"status", "--timeout=1"}, "--timeout must be a time"},
      {{"status", "x"}, "x"},
      {{"top", "--interval=1ms"}, "--interval must be a time with its unit, 200ms to 1h"},
      {{"top", "--interval=2"}, "--interval must be a time"},
      {{"top", "--showtimes=10001"}, "--showtimes"},
      {{"top", "--count=-1"}, "--count"},
      {{"map"}, "SHOWTIME is required"},
      {{"doctor", "--ws=http://a/"}, "--ws must be a URL such as wss://"},
      {{"doctor", "--idle=2h"}, "--idle must be a time"},
  };
  for (const auto& [args, what] : cases) {
    const ParsedArgs parsed = Parse(args);
    EXPECT_EQ(parsed.exit_code, kExitUsage) << args.front() << " " << args.back();
    EXPECT_THAT(parsed.text, HasSubstr(what));
    EXPECT_EQ(parsed.text.find('\n'), parsed.text.size() - 1);
  }
}

TEST(OperateArgsTest, TheEnvironmentNamesAdminListenersToo) {
  ::setenv("SEATCTL_ADMIN", "a", 1);
  EXPECT_THAT(Parse({"status"}).text, HasSubstr("--admin must be host:port"));
  EXPECT_EQ(Parse({"status", "--admin=a:1"}).exit_code, std::nullopt);
  // Commands that ask no admin listener do not care.
  EXPECT_EQ(Parse({"get", "123"}).exit_code, std::nullopt);
  ::unsetenv("SEATCTL_ADMIN");
}

}  // namespace
}  // namespace seatlock::cli

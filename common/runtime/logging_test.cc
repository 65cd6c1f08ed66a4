#include "common/runtime/logging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_split.h"
#include "common/runtime/json_text.h"

namespace seatlock::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

// A file that a Logger writes to.
class LogFile {
 public:
  LogFile() : file_(std::tmpfile()) {}
  ~LogFile() { std::fclose(file_); }

  std::FILE* file() { return file_; }
  std::string Text() {
    std::rewind(file_);
    std::string text(1 << 20, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file_));
    return text;
  }

 private:
  std::FILE* file_;
};

TEST(LoggerTest, JsonLineHasEveryField) {
  LogFile out;
  Logger logger("prog", LogFormat::kJson, LogLevel::kInfo, out.file());
  logger.Log(LogLevel::kWarn, "store is slow",
             {{"showtimes", 12}, {"share", 0.5}, {"late", true}, {"path", std::string("a.db")}});
  const boost::json::object line = boost::json::parse(out.Text()).as_object();
  EXPECT_THAT(std::string(line.at("ts").as_string().c_str()),
              MatchesRegex("[0-9]{4}-[0-9-]{5}T[0-9:]{8}\\.[0-9]{3}Z"));
  EXPECT_EQ(line.at("level").as_string(), "warn");
  EXPECT_EQ(line.at("program").as_string(), "prog");
  EXPECT_EQ(line.at("msg").as_string(), "store is slow");
  EXPECT_EQ(line.at("showtimes").as_int64(), 12);
  EXPECT_EQ(line.at("share").as_double(), 0.5);
  EXPECT_TRUE(line.at("late").as_bool());
  EXPECT_EQ(line.at("path").as_string(), "a.db");
}

TEST(LoggerTest, JsonLineSurvivesHostileText) {
  LogFile out;
  Logger logger("prog", LogFormat::kJson, LogLevel::kInfo, out.file());
  const std::string hostile("a\"b\\c\nd\x01\x7f\xff{}%s\0z", 17);
  logger.Log(LogLevel::kInfo, hostile,
             {{"k\"", hostile}, {"nan", std::numeric_limits<double>::quiet_NaN()}});
  const std::string text = out.Text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  const boost::json::object line = boost::json::parse(text).as_object();
  EXPECT_EQ(line.at("msg").as_string(), std::string("a\"b\\c\nd\x01\x7f\xEF\xBF\xBD{}%s\0z", 19));
  EXPECT_TRUE(line.at("nan").is_null());
}

TEST(LoggerTest, AutoIsJsonWhereThereIsNoTerminal) {
  LogFile out;
  Logger("prog", LogFormat::kAuto, LogLevel::kInfo, out.file()).Log(LogLevel::kInfo, "hello");
  EXPECT_THAT(out.Text(), HasSubstr("\"msg\":\"hello\""));
}

TEST(LoggerTest, TextIsOneLineThatQuotesWhatIsNotPlain) {
  LogFile out;
  Logger logger("prog", LogFormat::kText, LogLevel::kInfo, out.file());
  logger.Log(LogLevel::kInfo, "hello\x1b[2J", {{"word", "plain"}, {"words", "a b"}, {"none", ""}});
  EXPECT_THAT(out.Text(), HasSubstr("info  prog: \"hello\\u001b[2J\" word=plain words=\"a b\" "
                                    "none=\"\"\n"));
}

TEST(LoggerTest, LowerLevelsAreLeftOut) {
  LogFile out;
  Logger logger("prog", LogFormat::kText, LogLevel::kWarn, out.file());
  logger.Log(LogLevel::kInfo, "quiet");
  logger.Log(LogLevel::kError, "loud");
  EXPECT_THAT(out.Text(), Not(HasSubstr("quiet")));
  EXPECT_THAT(out.Text(), HasSubstr("loud"));
}

TEST(LoggerTest, LinesOfManyThreadsStayWhole) {
  LogFile out;
  Logger logger("prog", LogFormat::kJson, LogLevel::kInfo, out.file());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&logger, t] {
      for (int i = 0; i < 100; ++i) logger.Log(LogLevel::kInfo, "line", {{"t", t}, {"i", i}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<std::string> lines = absl::StrSplit(out.Text(), '\n', absl::SkipEmpty());
  EXPECT_EQ(lines.size(), 400U);
  for (const std::string& line : lines) EXPECT_NO_THROW(boost::json::parse(line)) << line;
}

TEST(JsonQuotedTest, WellFormedUtf8StaysAndTheRestIsReplaced) {
  EXPECT_EQ(JsonQuoted("Zürich €  😀"), "\"Zürich €  😀\"");
  EXPECT_EQ(JsonQuoted("\xC0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");    // overlong
  EXPECT_EQ(JsonQuoted("a\xE2\x82"), "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");  // cut short
  EXPECT_EQ(JsonQuoted("\xED\xA0\x80"),
            "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // a surrogate
}

}  // namespace
}  // namespace seatlock::runtime

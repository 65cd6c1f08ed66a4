#include "tests/testing/process.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>

#include "tests/testing/programs.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr milliseconds kSoon{20'000};

std::unique_ptr<Process> Shell(const std::string& script,
                               std::vector<std::pair<std::string, std::string>> env = {}) {
  auto process =
      Process::Start({.binary = "/bin/sh", .args = {"-c", script}, .env = std::move(env)});
  EXPECT_THAT(process, IsOk());
  return *std::move(process);
}

TEST(ProcessTest, KeepsBothOutputsLineByLine) {
  auto process = Shell("echo one; echo two; echo odd >&2; printf unfinished >&2");

  EXPECT_EQ(*process->Wait(kSoon), (ProcessExit{.code = 0, .signal = 0}));
  EXPECT_THAT(process->StdoutLines(), ElementsAre("one", "two"));
  EXPECT_THAT(process->StderrLines(), ElementsAre("odd", "unfinished"));
}

TEST(ProcessTest, TellsTheExitCode) {
  EXPECT_EQ(Shell("exit 7")->Wait(kSoon)->code, 7);
}

TEST(ProcessTest, TellsTheSignalThatEndedIt) {
  auto process = Shell("echo up; exec sleep 600");
  ASSERT_THAT(process->WaitForText("up", kSoon), IsOk());

  process->Kill();

  EXPECT_EQ(*process->Wait(kSoon), (ProcessExit{.code = -1, .signal = SIGKILL}));
  EXPECT_FALSE(process->Running());
}

TEST(ProcessTest, HandsSignalsOver) {
  auto process = Shell("trap 'echo got it; exit 3' TERM; echo up; while :; do sleep 0.05; done");
  ASSERT_THAT(process->WaitForText("up", kSoon), IsOk());

  process->Signal(SIGTERM);

  EXPECT_THAT(process->WaitForText("got it", kSoon), IsOk());
  EXPECT_EQ(process->Wait(kSoon)->code, 3);
}

TEST(ProcessTest, WaitingForALineEndsWithTheProcess) {
  auto process = Shell("echo last words; exit 1");

  const auto line = process->WaitForText("never", kSoon);

  EXPECT_THAT(line, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(line.status().message()), HasSubstr("last words"));
}

TEST(ProcessTest, WaitingForALineEndsAtTheDeadline) {
  auto process = Shell("exec sleep 600");

  EXPECT_THAT(process->WaitForText("never", milliseconds(50)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(process->Wait(milliseconds(50)), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST(ProcessTest, LeavesNothingBehind) {
  pid_t pid = 0;
  {
    auto process = Shell("exec sleep 600");
    pid = process->pid();
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_EQ(waitpid(pid, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(ProcessTest, MissingBinaryShowsAsExitCode127) {
  auto process = Process::Start({.binary = "/nonexistent", .args = {}});

  ASSERT_THAT(process, IsOk());
  EXPECT_EQ((*process)->Wait(kSoon)->code, 127);
}

TEST(ProcessTest, HandsDownOnlyTheSettingsOfTheTest) {
  ASSERT_EQ(setenv("SEATLOCK_LISTEN", "from the shell", 1), 0);
  ASSERT_EQ(setenv("SEATLOCK_STORE", "from the shell", 1), 0);

  auto process = Shell("echo \"$SEATLOCK_LISTEN,$SEATLOCK_STORE\"", {{"SEATLOCK_STORE", "mine"}});

  ASSERT_THAT(process->Wait(kSoon), IsOk());
  EXPECT_THAT(process->StdoutLines(), ElementsAre(",mine"));
  unsetenv("SEATLOCK_LISTEN");
  unsetenv("SEATLOCK_STORE");
}

TEST(ProcessTest, AVariableThatIsGivenTakesThePlaceOfTheParents) {
  ASSERT_EQ(setenv("PROCESS_TEST_NAME", "the parent's", 1), 0);

  // env prints every variable that it was handed, also one of two with the same name.
  auto process = Shell("exec env | grep ^PROCESS_TEST_NAME=", {{"PROCESS_TEST_NAME", "given"}});

  ASSERT_THAT(process->Wait(kSoon), IsOk());
  unsetenv("PROCESS_TEST_NAME");
  EXPECT_THAT(process->StdoutLines(), ElementsAre("PROCESS_TEST_NAME=given"));
}

TEST(ProgramsTest, LogFieldReadsJsonLines) {
  EXPECT_EQ(LogField(R"({"msg":"listening","address":"127.0.0.1:5"})", "address"), "127.0.0.1:5");
  EXPECT_THAT(LogField(R"({"msg":"listening"})", "address"), IsEmpty());
  EXPECT_THAT(LogField(R"({"address":5})", "address"), IsEmpty());
  EXPECT_THAT(LogField("address", "address"), IsEmpty());
}

TEST(ProgramsTest, SanitizerReportsAreNoticed) {
  auto clean = Shell("echo fine >&2");
  auto broken = Shell("echo fine >&2; echo 'WARNING: ThreadSanitizer: data race' >&2; echo at >&2");
  ASSERT_THAT(clean->Wait(kSoon), IsOk());
  ASSERT_THAT(broken->Wait(kSoon), IsOk());

  EXPECT_THAT(SanitizerReport(*clean), IsEmpty());
  EXPECT_EQ(SanitizerReport(*broken), "WARNING: ThreadSanitizer: data race\nat\n");
}

// Stands in for a program of ours: prints what they log.
ProgramOptions Script(const std::string& name, const std::string& body) {
  const std::string path = ::testing::TempDir() + name;
  FILE* file = fopen(path.c_str(), "w");
  fputs(("#!/bin/sh\n" + body).c_str(), file);
  fchmod(fileno(file), 0755);
  fclose(file);
  ProgramOptions options;
  options.binary = path;
  return options;
}

TEST(ProgramsTest, AddressesComeFromTheLog) {
  auto program = StartSeatlockd(Script("seatlock_fake_ok", R"(
    echo '{"msg":"admin listening","address":"127.0.0.1:2"}' >&2
    echo '{"msg":"listening","address":"127.0.0.1:1"}' >&2
    echo "$1 $2 $3"
    exec sleep 600)"));

  ASSERT_THAT(program, IsOk());
  EXPECT_EQ((*program)->address(), "127.0.0.1:1");
  EXPECT_EQ((*program)->admin_address(), "127.0.0.1:2");
  EXPECT_THAT((*program)->process().WaitForText(
                  "--store=memory: --listen=127.0.0.1:0 --admin-listen=127.0.0.1:0", kSoon),
              IsOk());
  EXPECT_EQ((*program)->Stop()->signal, SIGTERM);
}

TEST(ProgramsTest, AProgramThatEndsIsAnErrorWithItsOutput) {
  const auto program = StartEdge(Script("seatlock_fake_bad", "echo no port; exit 1"));

  EXPECT_THAT(program, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(program.status().message()), HasSubstr("no port"));
}

}  // namespace
}  // namespace seatlock::testing

#include "services/seatlock/store/command.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "services/seatlock/store/store_fixture.h"

namespace seatlock::store {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CommandTest : public StoreFixture {
 protected:
  ~CommandTest() override { unsetenv("SEATLOCK_STORE"); }

  // Runs a command; what it wrote is in out_ and err_.
  int Run(std::vector<std::string> args) {
    char *out = nullptr, *err = nullptr;
    size_t out_size = 0, err_size = 0;
    std::FILE* out_file = open_memstream(&out, &out_size);
    std::FILE* err_file = open_memstream(&err, &err_size);
    const int code = RunStoreCommand(args, {out_file, err_file, base::SystemClock()});
    std::fclose(out_file);
    std::fclose(err_file);
    out_.assign(out, out_size);
    err_.assign(err, err_size);
    free(out);
    free(err);
    return code;
  }
  int OnStore(std::vector<std::string> args) {
    args.push_back("--store=sqlite:" + path_);
    return Run(std::move(args));
  }
  // A1 locked by s1 and booked, A2 locked by s2.
  void Prepare() {
    OpenLog();
    Lock("A1", "s1");
    Book("A1", "s1");
    Lock("A2", "s2");
    CloseLog();
  }

  std::string out_;
  std::string err_;
};

TEST_F(CommandTest, WrongArgumentsAreExit2AndOneLineThatSaysWhatIsWrong) {
  const struct {
    std::vector<std::string> args;
    std::string why;
  } cases[] = {
      {{}, "which command?"},
      {{"frobnicate"}, "unknown command frobnicate"},
      {{"init"}, "init is for stores that servers share"},
      {{"init", "--store=redis://h"}, "'h' is no host:port"},
      {{"init", "--store=redis://:hunter2@h:1"}, "must not hold user or password"},
      {{"verify", "--accept"}, "unknown option --accept"},
      {{"backup", "x", "--store=redis://h:1"}, "backup is for sqlite: stores"},
      {{"compact", "--store=redis://h:1"}, "compact is for sqlite: stores"},
      {{"verify", "x"}, "unexpected argument x"},
      {{"backup"}, "backup needs DEST"},
      {{"restore", ""}, "restore needs SRC"},
      {{"history", "a", "b"}, "unexpected argument b"},
      {{"verify", "--store=bogus"},
       "--store must be sqlite:PATH, redis://HOST:PORT or memory: (got 'bogus')"},
      {{"verify", "--store=memory:"}, "memory: keeps nothing"},
      {{"verify", "--store"}, "--store needs a value"},
      {{"verify", "--seat=A06"}, "unknown option --seat"},
      {{"verify", "--json"}, "unknown option --json"},
      {{"history", "a", "--at=yesterday"}, "--at must be a revision, or a time"},
      {{"history", "a", "-o", "xml"}, "-o must be table or json"},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(Run(each.args), 2) << each.why;
    EXPECT_THAT(err_, HasSubstr("seatlockd store: ")) << each.why;
    EXPECT_THAT(err_, HasSubstr(each.why));
    EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 1) << err_;
    EXPECT_EQ(out_, "");
  }
}

TEST_F(CommandTest, AStoreThatIsNotThereIsExit1AndNotMade) {
  for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{
           {"verify"}, {"backup", backup_}, {"history", "s"}, {"compact"}}) {
    EXPECT_EQ(OnStore(args), 1) << args[0];
    EXPECT_THAT(err_, HasSubstr("is not there")) << args[0];
    EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 1) << err_;
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(CommandTest, APathThatCannotBeLookedAtIsExit1AndOneLine) {
  Prepare();
  EXPECT_EQ(OnStore({"backup", backup_}), 0);
  const std::string long_name = dir_.File(std::string(300, 'x'));
  const std::string below_a_file = path_ + "/seatlock.db";
  for (const std::string& path : {long_name, below_a_file}) {
    for (std::vector<std::string> args :
         std::vector<std::vector<std::string>>{{"verify"},
                                               {"backup", backup_ + "2"},
                                               {"restore", backup_},
                                               {"history", "s"},
                                               {"compact"}}) {
      args.push_back("--store=sqlite:" + path);
      EXPECT_EQ(Run(args), 1) << args[0] << " " << path;
      EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 1) << args[0] << " " << err_;
    }
    for (const char* command : {"backup", "restore"}) {
      EXPECT_EQ(OnStore({command, path}), 1) << command << " " << path;
      EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 1) << command << " " << err_;
    }
  }
}

TEST_F(CommandTest, HelpIsExit0AndNamesEveryCommand) {
  EXPECT_EQ(Run({"--help"}), 0);
  for (const char* name : {"verify", "backup DEST", "restore SRC", "history SHOWTIME", "compact"}) {
    EXPECT_THAT(out_, HasSubstr(name));
  }
}

TEST_F(CommandTest, TheStoreComesFromTheEnvironmentUnlessAFlagNamesIt) {
  Prepare();
  setenv("SEATLOCK_STORE", ("sqlite:" + path_).c_str(), 1);
  EXPECT_EQ(Run({"verify"}), 0) << err_;
  setenv("SEATLOCK_STORE", "bogus", 1);
  EXPECT_EQ(Run({"verify"}), 2);
  EXPECT_THAT(err_, HasSubstr("SEATLOCK_STORE must be sqlite:PATH"));
  EXPECT_EQ(OnStore({"verify"}), 0) << err_;
}

TEST_F(CommandTest, APathMayBeginWithTwoSlashes) {
  Prepare();
  EXPECT_EQ(Run({"verify", "--store=sqlite:/" + path_}), 0) << err_;
}

TEST_F(CommandTest, VerifySaysWhatItFoundAndItsExitCodeWhetherItIsSound) {
  Prepare();
  EXPECT_EQ(OnStore({"verify"}), 0);
  EXPECT_EQ(out_, "showtimes   1\nchanges     3\nseats sold  1\nsound\n");
  Sql(path_, "UPDATE records SET bytes = x'00' WHERE revision = 2");
  EXPECT_EQ(OnStore({"verify"}), 1);
  EXPECT_THAT(out_, HasSubstr("fault       showtime s, revision 2: "));
  EXPECT_THAT(out_, Not(HasSubstr("sound\n")));
}

TEST_F(CommandTest, BackupRestoreAndCompactSayWhatTheyDid) {
  Prepare();
  EXPECT_EQ(OnStore({"backup", backup_}), 0);
  EXPECT_THAT(out_, HasSubstr("backup.db: "));
  EXPECT_EQ(OnStore({"backup", backup_}), 1);
  EXPECT_THAT(err_, HasSubstr("is there already"));
  EXPECT_EQ(OnStore({"restore", "sqlite:" + backup_}), 0);
  EXPECT_THAT(out_, HasSubstr("1 showtimes, 3 changes; the former store is kept as"));
  EXPECT_EQ(OnStore({"compact"}), 0);
  OpenLog();
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{{"restore", backup_}, {"compact"}}) {
    EXPECT_EQ(OnStore(args), 1);
    EXPECT_THAT(err_, HasSubstr("the store is in use by another process"));
    EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 1) << err_;
  }
}

TEST_F(CommandTest, HistorySaysWhoHeldWhatWhen) {
  Prepare();
  EXPECT_EQ(OnStore({"history", "s"}), 0);
  EXPECT_THAT(out_, HasSubstr("1         1970-01-01T00:00:01.000Z lock     A1         locked"));
  EXPECT_THAT(out_, HasSubstr("2         1970-01-01T00:00:02.000Z book     A1         booked"));
  EXPECT_THAT(out_, HasSubstr("order-A1"));
  EXPECT_EQ(OnStore({"history", "s", "--seat", "A2"}), 0);
  EXPECT_THAT(out_, Not(HasSubstr("A1")));
  EXPECT_EQ(OnStore({"history", "nobody"}), 1);
  EXPECT_THAT(err_, HasSubstr("showtime nobody has no history in "));
}

TEST_F(CommandTest, HistoryAtARevisionOrATimeSaysWhoHeldWhatThen) {
  Prepare();
  EXPECT_EQ(OnStore({"history", "s", "--at", "1", "-o", "json"}), 0);
  EXPECT_THAT(out_, HasSubstr(R"({"seatId":"A1","status":"locked","sessionId":"s1",)"));
  EXPECT_EQ(OnStore({"history", "s", "--at=1970-01-01T00:00:02Z", "--output=json"}), 0);
  EXPECT_THAT(
      out_,
      HasSubstr(R"({"seatId":"A1","status":"booked","sessionId":"s1","orderId":"order-A1"})"));
  EXPECT_THAT(out_, Not(HasSubstr("A2")));
  // Long after: what was locked has lapsed, whether a server has said so or not.
  EXPECT_EQ(OnStore({"history", "s", "--at=1970-01-02T00:00:00Z"}), 0);
  EXPECT_THAT(out_, HasSubstr("A1"));
  EXPECT_THAT(out_, Not(HasSubstr("A2")));
  EXPECT_EQ(OnStore({"history", "s", "--at", "4"}), 1);
  EXPECT_THAT(err_, HasSubstr("the newest revision is 3"));
}

// Runs a command whose output and errors go to one terminal. What the terminal got.
std::string OnTerminal(const std::vector<std::string>& args) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  EXPECT_TRUE(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
  std::FILE* out = std::fopen(ptsname(terminal), "w");
  std::FILE* err = std::fopen(ptsname(terminal), "w");
  EXPECT_EQ(RunStoreCommand(args, {out, err, base::SystemClock()}), 0);
  std::fclose(out);
  std::fclose(err);
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = read(terminal, buffer, sizeof buffer)) > 0;) text.append(buffer, got);
  close(terminal);
  return text;
}

TEST_F(CommandTest, OnATerminalTheProgressIsGoneBeforeTheAnswer) {
  Prepare();
  const std::string store = "--store=sqlite:" + path_;
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{"verify", store}, "checking the store\r\033[Kshowtimes   1"},
      {{"history", "s", "--at=2", store}, " 0 %\r\033[KSEAT "},
      {{"backup", backup_, store}, "\r\033[K" + backup_ + ": "},
      {{"restore", backup_, store}, "\r\033[K" + path_ + ": 1 showtimes"},
      {{"compact", store}, "compacting\r\033[K" + path_ + ": "},
  };
  for (const auto& [args, text] : cases) EXPECT_THAT(OnTerminal(args), HasSubstr(text)) << args[0];
}

TEST_F(CommandTest, AnAnswerThatCannotBeWrittenIsExit1) {
  Prepare();
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{{"--help"}, {"verify"}, {"history", "s"}}) {
    std::FILE* full = std::fopen("/dev/full", "w");
    ASSERT_NE(full, nullptr);
    char* err = nullptr;
    size_t err_size = 0;
    std::FILE* err_file = open_memstream(&err, &err_size);
    std::vector<std::string> on_store = args;
    on_store.push_back("--store=sqlite:" + path_);
    EXPECT_EQ(RunStoreCommand(on_store, {full, err_file, base::SystemClock()}), 1) << args[0];
    std::fclose(full);
    std::fclose(err_file);
    EXPECT_THAT(std::string(err, err_size), HasSubstr("cannot write the answer"));
    free(err);
  }
}

TEST_F(CommandTest, HistorySaysWhatIsNoLongerKept) {
  OpenLog();
  Book("A1", "s1");
  Book("A2", "s1");
  SaveSnapshot();
  Book("A3", "s1");
  SaveSnapshot();
  ASSERT_THAT(seatlock::testing::Trim(*log_, "s", INT64_MAX, 0), seatlock::testing::IsOk());
  EXPECT_EQ(OnStore({"history", "s"}), 0);
  EXPECT_THAT(out_, HasSubstr("changes up to revision 2 are no longer kept"));
  EXPECT_EQ(OnStore({"history", "s", "--at", "1"}), 1);
  EXPECT_THAT(err_, HasSubstr("what was before revision 2"));
  EXPECT_EQ(OnStore({"history", "s", "--at", "1970-01-01T00:00:01Z"}), 1);
  EXPECT_EQ(OnStore({"history", "s", "--at", "2", "-o", "json"}), 0);
  EXPECT_THAT(out_, HasSubstr("A2"));
}

}  // namespace
}  // namespace seatlock::store

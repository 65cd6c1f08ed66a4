#include "clients/cli/operate/doctor_facts.h"

#include <sys/resource.h>
#include <sys/timex.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "clients/cli/operate/limits.h"
#include "clients/cli/operate/text.h"
#include "seatlock/client.h"

namespace seatlock::cli::operate {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr char kNoShowtime[] = "seatctl-doctor";
// A file of /proc or /sys that holds settings: a few lines.
constexpr size_t kSettingBytesMax = 4'096;

std::string ReadSetting(const std::string& path) {
  std::ifstream in(path);
  std::string text(kSettingBytesMax, '\0');
  if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  return text;
}

// The number at `index` among the words of the file.
std::optional<int64_t> NumberIn(const std::string& path, size_t index = 0) {
  const std::vector<std::string> words =
      absl::StrSplit(ReadSetting(path), absl::ByAnyChar(" \t\n"), absl::SkipEmpty());
  int64_t number = 0;
  if (index >= words.size() || !absl::SimpleAtoi(words[index], &number)) return std::nullopt;
  return number;
}

// The number after `word` on the line that begins with `line`: "TCP: inuse 5 ... mem 3".
std::optional<int64_t> NumberAfter(const std::string& path, const std::string& line,
                                   const std::string& word) {
  for (const absl::string_view each : absl::StrSplit(ReadSetting(path), '\n')) {
    const std::vector<std::string> words = absl::StrSplit(each, ' ', absl::SkipEmpty());
    if (words.empty() || words[0] != line) continue;
    for (size_t i = 1; i + 1 < words.size(); ++i) {
      int64_t number = 0;
      if (words[i] == word && absl::SimpleAtoi(words[i + 1], &number)) return number;
    }
  }
  return std::nullopt;
}

// "always [madvise] never" -> "madvise".
std::optional<std::string> Chosen(const std::string& text) {
  const size_t begin = text.find('[');
  const size_t end = text.find(']');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return std::nullopt;
  return Clean(text.substr(begin + 1, end - begin - 1));
}

bool RunsHere(const std::string& proc, const std::string& name) {
  std::error_code error;
  for (std::filesystem::directory_iterator at(proc, error), end; !error && at != end;
       at.increment(error)) {
    const std::string pid = at->path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    if (ReadSetting(absl::StrCat(proc, "/", pid, "/comm")) == name + "\n") return true;
  }
  return false;
}

ClockFacts ReadClock() {
  timex state{};
  const int code = ::adjtimex(&state);  // modes 0: only reads
  ClockFacts clock;
  if (code >= 0) clock.synchronised = code != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
  return clock;
}

int64_t UnixMs() {
  return duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void AskTime(client::Client& client, ServerFacts* facts) {
  v1::ListSessionLocksRequest request;
  request.set_showtime_id(kNoShowtime);  // a read creates nothing
  request.set_session_id(kNoShowtime);
  // The second call: the first one connects.
  for (int i = 0; i < 2; ++i) {
    const int64_t sent = UnixMs();
    const auto response = client.ListSessionLocks(request);
    if (!response.ok()) {
      facts->error = Clean(std::string(response.status().message()));
      return;
    }
    const int64_t received = UnixMs();
    const int64_t theirs =
        response->server_time().seconds() * 1000 + response->server_time().nanos() / 1'000'000;
    facts->round_trip_ms = received - sent;
    facts->offset_ms = theirs - (sent + received) / 2;
  }
}

// Holds an idle watch, and sees whether the connection is cut.
void HoldWatch(client::Client& client, milliseconds idle, ServerFacts* facts) {
  v1::WatchShowtimeRequest request;
  request.set_showtime_id(kNoShowtime);
  const std::unique_ptr<client::Watch> watch = client.WatchShowtime(request);
  const auto start = std::chrono::steady_clock::now();
  const auto since = [start] {
    return duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
  };
  facts->watched = true;
  while (since() < idle && facts->watch_ended.empty()) {
    const auto event = watch->Next(std::min(milliseconds(100), idle));
    absl::Status failure = watch->Failure();
    if (!event.ok() && !absl::IsDeadlineExceeded(event.status())) failure = event.status();
    if (!failure.ok()) facts->watch_ended = Clean(std::string(failure.message()));
  }
  facts->held_ms = since().count();
}

void LookAtServer(const std::optional<client::TlsOptions>& tls, milliseconds timeout,
                  milliseconds idle, ServerFacts* facts) {
  client::ClientOptions options;
  options.servers = {facts->address};
  options.tls = tls;
  options.timeout = timeout;
  options.attempt_timeout = timeout;
  options.retries = 0;
  client::Client client(options);
  AskTime(client, facts);
  if (facts->error.empty() && idle.count() > 0) HoldWatch(client, idle, facts);
}

// How often the edges were sent X-Forwarded-For by such proxies.
std::optional<double> Forwarded(const Look& look, const std::string& proxy) {
  std::optional<double> sum;
  for (const ProgramLook& program : look.programs) {
    const auto count =
        program.metrics.Sum("seatlock_edge_upgrades_forwarded_total", {{"proxy", proxy}});
    if (count.has_value()) sum = sum.value_or(0) + *count;
  }
  return sum;
}

std::optional<double> Rise(std::optional<double> before, std::optional<double> now) {
  if (!before.has_value() || !now.has_value()) return std::nullopt;
  return *now - *before;
}

}  // namespace

KernelFacts ReadKernel(const std::string& root) {
  const std::string sys = root + "/proc/sys/";
  KernelFacts kernel;
  kernel.somaxconn = NumberIn(sys + "net/core/somaxconn");
  const auto low = NumberIn(sys + "net/ipv4/ip_local_port_range", 0);
  const auto high = NumberIn(sys + "net/ipv4/ip_local_port_range", 1);
  if (low.has_value() && high.has_value()) kernel.port_range = {*low, *high};
  kernel.conntrack_max = NumberIn(sys + "net/netfilter/nf_conntrack_max");
  kernel.conntrack_count = NumberIn(sys + "net/netfilter/nf_conntrack_count");
  kernel.tcp_mem_pressure_pages = NumberIn(sys + "net/ipv4/tcp_mem", 1);
  kernel.tcp_mem_used_pages = NumberAfter(root + "/proc/net/sockstat", "TCP:", "mem");
  kernel.files_max = NumberIn(sys + "fs/file-max");
  kernel.files_used = NumberIn(sys + "fs/file-nr");
  kernel.overcommit_memory = NumberIn(sys + "vm/overcommit_memory");
  kernel.huge_pages = Chosen(ReadSetting(root + "/sys/kernel/mm/transparent_hugepage/enabled"));
  kernel.redis_here = RunsHere(root + "/proc", "redis-server");
  return kernel;
}

Facts LookForDoctor(const CommonArgs& common, const Args& args) {
  const milliseconds timeout = std::min(kLookMax, milliseconds(common.timeout_ms));
  const milliseconds idle(args.idle_ms);
  Facts facts;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    facts.shell_files_soft = static_cast<int64_t>(std::min<rlim_t>(files.rlim_cur, INT64_MAX));
    facts.shell_files_hard = static_cast<int64_t>(std::min<rlim_t>(files.rlim_max, INT64_MAX));
  }
  facts.kernel = ReadKernel("");
  facts.clock = ReadClock();
  for (const std::string& each : args.servers) facts.servers.emplace_back().address = each;
  std::vector<std::thread> threads;
  for (ServerFacts& server : facts.servers) {
    threads.emplace_back(
        [&server, &common, timeout, idle] { LookAtServer(common.tls, timeout, idle, &server); });
  }
  Look before;
  if (const auto url = ParseWsUrl(args.ws_url); url.ok()) {
    before = LookAt(args.admins, {}, common.tls, timeout);
    facts.ws_url = args.ws_url;
    threads.emplace_back([&facts, url, timeout, idle] {
      facts.ws = TryWebSocket(*url, std::chrono::steady_clock::now() + timeout, idle);
    });
  }
  for (std::thread& thread : threads) thread.join();
  facts.look = LookAt(args.admins, args.servers, common.tls, timeout);
  facts.forwarded_trusted = Rise(Forwarded(before, "trusted"), Forwarded(facts.look, "trusted"));
  facts.forwarded_untrusted =
      Rise(Forwarded(before, "untrusted"), Forwarded(facts.look, "untrusted"));
  return facts;
}

}  // namespace seatlock::cli::operate

#include "common/runtime/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/runtime/version.h"

namespace seatlock::runtime {
namespace {

// Field numbers of proc(5), /proc/PID/stat, where the first is 1.
constexpr size_t kUserTicks = 14;
constexpr size_t kSystemTicks = 15;
constexpr size_t kStartTicks = 22;
constexpr size_t kResidentPages = 24;
// The name, in brackets, may hold anything; what follows its last bracket begins with field 3.
constexpr size_t kFirstAfterName = 3;

std::string ReadFile(const char* path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

double StatField(size_t number) {
  const std::string stat = ReadFile("/proc/self/stat");
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos || name_end + 2 > stat.size()) return 0;
  const std::vector<std::string> fields = absl::StrSplit(stat.substr(name_end + 2), ' ');
  double value = 0;
  const size_t index = number - kFirstAfterName;
  return index < fields.size() && absl::SimpleAtod(fields[index], &value) ? value : 0;
}

double TicksASecond() {
  return static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double CpuSeconds() {
  return (StatField(kUserTicks) + StatField(kSystemTicks)) / TicksASecond();
}

double ResidentBytes() {
  return StatField(kResidentPages) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double StartTimeSeconds() {
  for (const absl::string_view line : absl::StrSplit(ReadFile("/proc/stat"), '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    double boot_seconds = 0;
    if (words.size() == 2 && words[0] == "btime" && absl::SimpleAtod(words[1], &boot_seconds)) {
      return boot_seconds + StatField(kStartTicks) / TicksASecond();
    }
  }
  return 0;
}

// A few milliseconds if there are 15,000.
double OpenFiles() {
  std::error_code error;
  const std::filesystem::path folder = "/proc/self/fd";
  int64_t count = -1;  // the folder itself is open while it is read
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    ++count;
  }
  return count < 0 ? 0 : static_cast<double>(count);
}

double OpenFilesMax() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

void AddProcessMetrics(const std::string& program, Metrics* metrics) {
  metrics
      ->AddGauge("seatlock_build_info", "Always 1; the labels say what was built.",
                 {{"program", program},
                  {"version", std::string(Version())},
                  {"revision", std::string(GitRevision())}})
      .Set(1);
  metrics->AddCounterCallback("process_cpu_seconds_total", "User and system CPU time used.",
                              CpuSeconds);
  metrics->AddGaugeCallback("process_open_fds", "Open file descriptors.", OpenFiles);
  metrics->AddGaugeCallback("process_max_fds", "The most file descriptors that may be open.",
                            OpenFilesMax);
  metrics->AddGaugeCallback("process_resident_memory_bytes", "Resident memory.", ResidentBytes);
  metrics->AddGaugeCallback("process_start_time_seconds", "When the process began, Unix time.",
                            [start = StartTimeSeconds()] { return start; });
}

}  // namespace seatlock::runtime

#include "common/runtime/process_metrics.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "common/runtime/version.h"

namespace seatlock::runtime {
namespace {

using ::testing::HasSubstr;

class ProcessMetricsTest : public ::testing::Test {
 protected:
  ProcessMetricsTest() { AddProcessMetrics("tested", &metrics_); }

  // -1: there is no such line.
  double Value(const std::string& series) const {
    const std::string text = metrics_.Text();
    const size_t at = text.find("\n" + series + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + series.size() + 2));
  }

  Metrics metrics_;
};

TEST_F(ProcessMetricsTest, SayWhatWasBuilt) {
  EXPECT_THAT(metrics_.Text(), HasSubstr("seatlock_build_info{program=\"tested\",version=\"" +
                                         std::string(Version()) + "\",revision=\"" +
                                         std::string(GitRevision()) + "\"} 1\n"));
}

TEST_F(ProcessMetricsTest, OpenFilesRiseAndFallAndHaveABound) {
  const double before = Value("process_open_fds");
  EXPECT_GT(before, 0);
  std::vector<int> files;
  for (int i = 0; i < 5; ++i) files.push_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(Value("process_open_fds"), before + 5);
  for (const int file : files) ::close(file);
  EXPECT_EQ(Value("process_open_fds"), before);
  EXPECT_GT(Value("process_max_fds"), before);
}

TEST_F(ProcessMetricsTest, CpuTimeMemoryAndStartAreTheKernels) {
  EXPECT_GT(Value("process_resident_memory_bytes"), 1 << 20);
  const double start = Value("process_start_time_seconds");
  EXPECT_GT(start, 1'500'000'000);
  EXPECT_EQ(Value("process_start_time_seconds"), start);
  const double before = Value("process_cpu_seconds_total");
  // Asking costs CPU time itself.
  while (Value("process_cpu_seconds_total") == before) {
  }
  EXPECT_GT(Value("process_cpu_seconds_total"), before);
}

}  // namespace
}  // namespace seatlock::runtime

#include "common/runtime/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "common/runtime/grpc_server_metrics.h"

namespace seatlock::runtime {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(MetricsTest, TextHasHelpTypeLabelsAndValue) {
  Metrics metrics;
  metrics.AddCounter("seatlock_locks_total", "Locks by result.", {{"result", "granted"}})
      .Increment(3);
  metrics.AddCounter("seatlock_locks_total", "Locks by result.", {{"result", "taken"}}).Increment();
  metrics.AddGauge("seatlock_watchers", "Open watches.").Set(7);
  EXPECT_THAT(metrics.Text(), AllOf(HasSubstr("# HELP seatlock_locks_total Locks by result.\n"
                                              "# TYPE seatlock_locks_total counter\n"
                                              "seatlock_locks_total{result=\"granted\"} 3\n"
                                              "seatlock_locks_total{result=\"taken\"} 1\n"),
                                    HasSubstr("# TYPE seatlock_watchers gauge\n"
                                              "seatlock_watchers 7\n")));
}

TEST(MetricsTest, HistogramIsCumulativeAndIncludesItsBounds) {
  Metrics metrics;
  Histogram& histogram = metrics.AddHistogram("batch", "Batch size.", {1, 4}, {{"store", "x"}});
  for (const double value : {1.0, 2.0, 4.0, 5.0}) histogram.Observe(value);
  EXPECT_THAT(metrics.Text(), AllOf(HasSubstr("batch_bucket{store=\"x\",le=\"1\"} 1\n"
                                              "batch_bucket{store=\"x\",le=\"4\"} 3\n"
                                              "batch_bucket{store=\"x\",le=\"+Inf\"} 4\n"),
                                    HasSubstr("batch_count{store=\"x\"} 4\n"),
                                    HasSubstr("batch_sum{store=\"x\"} 12\n")));
}

TEST(MetricsTest, CallbacksAreAskedWhenTheTextIsMade) {
  Metrics metrics;
  double live = 1;
  metrics.AddGaugeCallback("live", "Live showtimes.", [&live] { return live; });
  metrics.AddCounterCallback("done_total", "Done.", [&live] { return live * 10; });
  live = 2;
  EXPECT_THAT(metrics.Text(), AllOf(HasSubstr("\nlive 2\n"), HasSubstr("\ndone_total 20\n")));
}

TEST(MetricsTest, MembersOfAFamilyMayComeAndGo) {
  Metrics metrics;
  std::vector<std::pair<std::string, double>> up = {{"a", 1}};
  metrics.AddGaugesCallback("up", "Help.", "server", [&up] { return up; });
  EXPECT_THAT(metrics.Text(), HasSubstr("up{server=\"a\"} 1\n"));
  up = {{"b", 0}};
  EXPECT_THAT(metrics.Text(), HasSubstr("up{server=\"b\"} 0\n"));
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("\"a\"")));
}

TEST(MetricsTest, AHistogramThatIsCountedElsewhereIsReadWhenTheTextIsMade) {
  Metrics metrics;
  Histogram::Reading counted;
  metrics.AddHistogramCallback("away", "Counted elsewhere.", {0.5, 2},
                               [&counted] { return counted; });
  counted = {{1, 2, 4}, 9.5};
  EXPECT_THAT(metrics.Text(), AllOf(HasSubstr("away_bucket{le=\"0.5\"} 1\n"
                                              "away_bucket{le=\"2\"} 3\n"
                                              "away_bucket{le=\"+Inf\"} 7\n"),
                                    HasSubstr("away_count 7\n"), HasSubstr("away_sum 9.5\n")));
}

TEST(MetricsTest, NothingThatManyThreadsCountIsLost) {
  Metrics metrics;
  Counter& counter = metrics.AddCounter("calls_total", "Calls.");
  Histogram& histogram = metrics.AddHistogram("seconds", "Seconds.", {1});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) {
        counter.Increment();
        histogram.Observe(0.5);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.Value(), 40'000U);
  EXPECT_EQ(histogram.Read().counts[0], 40'000U);
  EXPECT_EQ(histogram.Read().sum, 20'000);
}

TEST(MetricsDeathTest, MistakesOfOursEndTheProgramAtItsStart) {
  Metrics metrics;
  metrics.AddCounter("calls_total", "Calls.");
  EXPECT_DEATH(metrics.AddCounter("calls_total", "Calls."), "twice");
  EXPECT_DEATH(metrics.AddGauge("calls_total", "Calls.", {{"a", "b"}}), "two kinds");
  EXPECT_DEATH(metrics.AddGauge("no name", "x"), "not a name");
}

TEST(GrpcServerMetricsTest, CountsUnderTheLabelsOfGoGrpcPrometheus) {
  Metrics metrics;
  GrpcServerMetrics grpc(&metrics);
  GrpcMethodMetrics& lock = grpc.AddMethod(GrpcType::kUnary, "seatlock.v1.S", "LockSeat");
  GrpcMethodMetrics& watch = grpc.AddMethod(GrpcType::kServerStream, "seatlock.v1.S", "Watch");
  lock.Started();
  lock.Handled(9, 0.002);
  lock.Handled(99, 20);
  watch.Started();
  const std::string labels =
      "grpc_type=\"unary\",grpc_service=\"seatlock.v1.S\",grpc_method=\"LockSeat\"";
  EXPECT_THAT(
      metrics.Text(),
      AllOf(HasSubstr("grpc_server_started_total{" + labels + "} 1\n"),
            HasSubstr("grpc_server_handled_total{" + labels +
                      ",grpc_code=\"FailedPrecondition\"} 1\n"),
            HasSubstr("grpc_server_handled_total{" + labels + ",grpc_code=\"Unknown\"} 1\n"),
            HasSubstr("grpc_server_handled_total{" + labels + ",grpc_code=\"OK\"} 0\n"),
            HasSubstr("grpc_server_handling_seconds_bucket{" + labels + ",le=\"0.0025\"} 1\n"),
            HasSubstr("grpc_server_handling_seconds_count{" + labels + "} 2\n"),
            HasSubstr("grpc_type=\"server_stream\"")));
}

}  // namespace
}  // namespace seatlock::runtime

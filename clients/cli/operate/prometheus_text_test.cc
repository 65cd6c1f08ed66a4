#include "clients/cli/operate/prometheus_text.h"

#include <gmock/gmock.h>

#include <limits>

#include "clients/cli/operate/limits.h"
#include "common/runtime/metrics.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::cli::operate {
namespace {

using seatlock::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::Pair;

TEST(PrometheusTextTest, ReadsWhatOurOwnProgramsWrite) {
  runtime::Metrics metrics;
  metrics.AddCounter("calls_total", "Calls.", {{"result", "ok"}}).Increment(7);
  metrics.AddCounter("calls_total", "Calls.", {{"result", "q\"uo\\te\n"}}).Increment(2);
  auto& histogram = metrics.AddHistogram("took_seconds", "Time.", {0.1, 1});
  histogram.Observe(0.05);
  histogram.Observe(3);
  const auto samples = ParsePrometheus(metrics.Text());
  ASSERT_THAT(samples, IsOk());
  EXPECT_THAT(samples->Sum("calls_total"), Optional(9.0));
  EXPECT_THAT(samples->Sum("calls_total", {{"result", "ok"}}), Optional(7.0));
  EXPECT_THAT(samples->By("calls_total", "result"),
              ElementsAre(Pair("ok", 7), Pair("q\"uo\\te\n", 2)));
  EXPECT_THAT(
      samples->Histogram("took_seconds").up_to,
      ElementsAre(Pair(0.1, 1), Pair(1, 1), Pair(std::numeric_limits<double>::infinity(), 2)));
}

TEST(PrometheusTextTest, ReadsWhatTheFormatAllows) {
  const auto samples = ParsePrometheus(
      "# HELP a text\n# TYPE a gauge\n\r\na 1.5e3 1700000000000\n  b{ x = \"1\" , y=\"2\", } -Inf\n"
      "c{} NaN\n");
  ASSERT_THAT(samples, IsOk());
  EXPECT_THAT(samples->Sum("a"), Optional(1500.0));
  EXPECT_THAT(samples->Sum("b", {{"y", "2"}}), Optional(-std::numeric_limits<double>::infinity()));
  EXPECT_THAT(samples->LabelOf("b", "x"), Optional(std::string("1")));
}

TEST(PrometheusTextTest, WhatIsNotThereIsNotZero) {
  const auto samples = ParsePrometheus("a 1\n");
  ASSERT_THAT(samples, IsOk());
  EXPECT_EQ(samples->Sum("b"), std::nullopt);
  EXPECT_EQ(samples->LabelOf("a", "x"), std::nullopt);
  EXPECT_EQ(Quantile(samples->Histogram("a"), 0.5), std::nullopt);
}

TEST(PrometheusTextTest, AnotherPageIsRefusedAndNamed) {
  for (const char* text : {"<html>\n", "a\n", "a{x=\"1} 1\n", "a{x} 1\n", "a{x=\"1\" 1\n",
                           "a 1 2 3\n", "a one\n", "{x=\"1\"} 1\n"}) {
    const auto samples = ParsePrometheus(text);
    ASSERT_FALSE(samples.ok()) << text;
    EXPECT_THAT(std::string(samples.status().message()), HasSubstr("Prometheus' format"));
  }
}

TEST(PrometheusTextTest, SamplesAreBounded) {
  std::string text;
  for (size_t i = 0; i <= kSamplesMax; ++i) text += "a 1\n";
  EXPECT_FALSE(ParsePrometheus(text).ok());
}

TEST(PrometheusTextTest, QuantilesLieWithinTheirBucket) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const Buckets buckets{{{1, 0}, {2, 50}, {4, 100}, {kInf, 100}}};
  EXPECT_THAT(Quantile(buckets, 0.25), Optional(1.5));
  EXPECT_THAT(Quantile(buckets, 0.5), Optional(2.0));
  EXPECT_THAT(Quantile(buckets, 0.99), Optional(3.96));
  EXPECT_THAT(Quantile(Buckets{{{1, 0}, {2, 0}, {kInf, 5}}}, 0.5), Optional(2.0));
}

TEST(PrometheusTextTest, OnlyWhatCameBetweenTwoLooksCounts) {
  const Buckets before{{{1, 100}, {2, 100}}};
  EXPECT_THAT(Since(before, {{{1, 100}, {2, 110}}}).up_to, ElementsAre(Pair(1, 0), Pair(2, 10)));
  // It was started again: nothing can be said.
  EXPECT_EQ(Since(before, {{{1, 3}, {2, 3}}}).count(), 0);
}

TEST(PrometheusTextTest, ABucketWhoseBoundIsNoNumberIsLeftOut) {
  const auto samples =
      ParsePrometheus("h_bucket{le=\"NaN\"} 5\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 3\n");
  ASSERT_TRUE(samples.ok());
  EXPECT_THAT(samples->Histogram("h").up_to,
              ElementsAre(Pair(1, 2), Pair(std::numeric_limits<double>::infinity(), 3)));
}

TEST(PrometheusTextTest, HistogramsOfSeveralProgramsAddUp) {
  EXPECT_THAT(Added({{{1, 1}, {2, 3}}}, {{{1, 10}, {2, 10}}}).up_to,
              ElementsAre(Pair(1, 11), Pair(2, 13)));
  EXPECT_THAT(Added({}, {{{1, 10}}}).up_to, ElementsAre(Pair(1, 10)));
}

}  // namespace
}  // namespace seatlock::cli::operate

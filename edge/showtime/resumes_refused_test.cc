// What a thread that asks to resume is answered while the service has no room for a second watch.
#include <gmock/gmock.h>

#include "edge/limits.h"
#include "edge/showtime/resumes_fixture.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::SayChanges;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ResumesRefusedTest : public ResumesTest {};

TEST_F(ResumesRefusedTest, AProbeThatTheServiceRefusesCostsNobodyTheStreamAndIsTriedAgainLater) {
  LiveAt(30, 30);
  Ask(40);
  backfill().OnRefused({"too many", kRefusedRetryMs});
  EXPECT_EQ(restarts(), 0);
  for (int i = 0; i < 100; ++i) Ask(4, "made up " + std::to_string(i));
  EXPECT_EQ(backfills(), 1) << "the service is not asked for each of them";
  EXPECT_THAT(thread_.Take(), IsEmpty());
  PassMs(kRefusedRetryMs);
  ASSERT_TRUE(backfilling());
  EXPECT_EQ(backfill().ResumeFrom(), (Position{"e", 40}));
  backfill().OnProgress({"e", 40});
  SayChanges(service(), 30, 40);
  EXPECT_THAT(thread_.Take(), ::testing::Contains("missed after e/40:"));
}

TEST_F(ResumesRefusedTest, WhileTheServiceRefusesProbesTheSourcesOwnStreamSettlesWhoIsAhead) {
  LiveAt(30, 30);
  Ask(40);
  Ask(4, "other");
  RefuseProbe();
  service().OnProgress({"e", 30});
  EXPECT_THAT(thread_.Take(), IsEmpty()) << "it may have been on its way for a moment";
  PassMs(kRefusedRetryMs);
  RefuseProbe();
  EXPECT_THAT(thread_.Take(), ElementsAre("snapshot after e/40", "snapshot after other/4"));
  EXPECT_EQ(restarts(), 0);
  EXPECT_EQ(home_.stats.upstream_refused_total, 2);
}

TEST_F(ResumesRefusedTest, AChangeOfTheSourcesOwnStreamSettlesThemToo) {
  LiveAt(30, 30);
  Ask(4, "other");
  RefuseProbe();
  SayChanges(service(), 30, 31);
  PassMs(kRefusedRetryMs);
  RefuseProbe();
  EXPECT_THAT(thread_.Take(), ElementsAre("entry e/31", "snapshot after other/4"));
}

TEST_F(ResumesRefusedTest, ControlASourceThatHeardNothingSinceAnswersNobodyWhoIsAhead) {
  LiveAt(30, 30);
  service().OnProgress({"e", 30});
  Ask(40);
  RefuseProbe();
  PassMs(kRefusedRetryMs);
  RefuseProbe();
  PassMs(kRefusedRetryMs);
  RefuseProbe();
  EXPECT_THAT(thread_.Take(), IsEmpty());
  SayChanges(service(), 30, 40);
  EXPECT_THAT(thread_.Take(), ::testing::Contains("missed after e/40:"));
}

TEST_F(ResumesRefusedTest, WhoAsksLaterWhileTheServiceRefusesIsSettledByWhatIsHeardAfterIt) {
  LiveAt(30, 30);
  Ask(40);
  RefuseProbe();
  service().OnProgress({"e", 30});
  Ask(50);
  PassMs(kRefusedRetryMs);
  RefuseProbe();
  EXPECT_THAT(thread_.Take(), ElementsAre("snapshot after e/40"));
  service().OnProgress({"e", 30});
  PassMs(kRefusedRetryMs);
  RefuseProbe();
  EXPECT_THAT(thread_.Take(), ElementsAre("snapshot after e/50"));
}

TEST_F(ResumesRefusedTest, ASourceThatIsNotReadOnSettlesNobody) {
  LiveAt(30, 30);
  Ask(40);
  RefuseProbe();
  service().OnProgress({"e", 30});
  thread_.full = true;
  PassMs(kRefusedRetryMs);
  RefuseProbe();
  EXPECT_THAT(thread_.Take(), IsEmpty()) << "what follows may wait to be read";
  thread_.full = false;
  PassMs(kRefusedRetryMs);
  RefuseProbe();
  EXPECT_THAT(thread_.Take(), ElementsAre("snapshot after e/40"));
}

TEST_F(ResumesRefusedTest, ABackfillThatTheServiceRefusesCountsAsRefused) {
  LiveAt(30, 30);
  Ask(26);
  backfill().OnRefused({"too many", kRefusedRetryMs});
  EXPECT_EQ(home_.stats.upstream_refused_total, 1);
}

TEST_F(ResumesRefusedTest, WhoIsBehindWhileTheServiceRefusesTakesASnapshotAtOnce) {
  LiveAt(30, 30);
  Ask(26);
  backfill().OnRefused({"too many", kRefusedRetryMs});
  EXPECT_THAT(thread_.Take(), ElementsAre("snapshot after e/26"));
  Ask(27);
  EXPECT_THAT(thread_.Take(), ElementsAre("snapshot after e/27"));
  EXPECT_EQ(backfills(), 1);
  PassMs(kRefusedRetryMs);
  Ask(27);
  EXPECT_TRUE(backfilling());
}

}  // namespace
}  // namespace seatlock::edge

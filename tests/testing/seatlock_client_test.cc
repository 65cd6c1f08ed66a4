#include "tests/testing/seatlock_client.h"

#include <gmock/gmock.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include "tests/testing/rounds.h"

namespace seatlock::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

grpc::Status WithDetails(const std::vector<const google::protobuf::Message*>& details) {
  google::rpc::Status rich;
  for (const google::protobuf::Message* detail : details) rich.add_details()->PackFrom(*detail);
  return {grpc::StatusCode::FAILED_PRECONDITION, "taken", rich.SerializeAsString()};
}

TEST(DecodeRefusalTest, TakesEveryDetailApart) {
  google::rpc::ErrorInfo info;
  info.set_domain("seatlock");
  info.set_reason("SEAT_TAKEN");
  (*info.mutable_metadata())["limit"] = "4";
  v1::SeatConflicts conflicts;
  v1::SeatConflict* conflict = conflicts.add_conflicts();
  conflict->set_seat_id("A06");
  conflict->set_status(v1::SEAT_STATUS_LOCKED);
  conflict->set_reason("SEAT_TAKEN");
  google::rpc::BadRequest bad;
  bad.add_field_violations()->set_field("seat_id");
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_nanos(250'000'000);

  const Refusal refusal = DecodeRefusal(WithDetails({&info, &conflicts, &bad, &retry}));

  EXPECT_EQ(refusal.code, grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(refusal.domain, "seatlock");
  EXPECT_EQ(refusal.reason, "SEAT_TAKEN");
  EXPECT_THAT(refusal.metadata, ElementsAre(Pair("limit", "4")));
  EXPECT_THAT(refusal.conflicts,
              ElementsAre(Refusal::Conflict{"A06", v1::SEAT_STATUS_LOCKED, "SEAT_TAKEN"}));
  EXPECT_THAT(refusal.fields, ElementsAre("seat_id"));
  EXPECT_EQ(refusal.retry_after_ms, 250);
  EXPECT_THAT(refusal.unknown_details, IsEmpty());
}

TEST(DecodeRefusalTest, NoticesDetailsThatItDoesNotKnow) {
  google::rpc::Help help;

  EXPECT_THAT(DecodeRefusal(WithDetails({&help})).unknown_details, HasSubstr("Help"));
  EXPECT_THAT(
      DecodeRefusal(grpc::Status(grpc::StatusCode::INTERNAL, "", "\xff\xff")).unknown_details,
      HasSubstr("not a google.rpc.Status"));
}

TEST(RoundsTest, ScaleWithTheEnvironment) {
  unsetenv("SEATLOCK_ROUNDS_PERCENT");
  EXPECT_EQ(Rounds(50), 50);
  setenv("SEATLOCK_ROUNDS_PERCENT", "10", 1);
  EXPECT_EQ(Rounds(50), 5);
  EXPECT_EQ(Rounds(3), 1);
  unsetenv("SEATLOCK_ROUNDS_PERCENT");
}

}  // namespace
}  // namespace seatlock::testing

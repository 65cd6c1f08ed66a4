// What Redis answered, as the port says it. What is read is verified against its chain.
//
// Pure functions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/seatlock/log/redis/judgement.h"
#include "services/seatlock/log/showtime_log.h"

struct redisReply;

namespace seatlock::log {

// What is needed of an append to read its answer.
struct AppendQuestion {
  domain::ShowtimeId showtime;
  Head expected;
  Head after;  // the head if it is appended; `expected` of a confirmation
  bool confirmation = false;
  bool takes_room = false;
};

// The answer to an append, if its pipeline counts. Without a generation.
AppendResult ReadAppend(const redisReply& reply, const AppendQuestion& question);

// What an append gets whose answer is lost or does not count.
AppendResult UnknownAppend(const AppendQuestion& question, const absl::Status& why);
// What an append gets that was not sent.
AppendResult NotAppended(absl::Status why);

absl::StatusOr<Page> ReadPage(const redisReply& reply, const domain::ShowtimeId& showtime,
                              domain::Revision from, size_t max_records);
absl::StatusOr<LoadResult> ReadLoad(const redisReply& reply, const domain::ShowtimeId& showtime);

// Of a function that answers kDone or why not.
absl::Status ReadDone(const redisReply& reply, const domain::ShowtimeId& showtime);

// Texts with their scores, as ZRANGEBYSCORE WITHSCORES and claim give them.
absl::StatusOr<std::vector<std::pair<std::string, int64_t>>> ReadScores(const redisReply& reply);
absl::StatusOr<std::vector<std::pair<std::string, int64_t>>> ReadClaimed(const redisReply& reply);
absl::StatusOr<std::vector<std::string>> ReadTexts(const redisReply& reply);
// A number, or a text that is one; 0 for nothing.
absl::StatusOr<int64_t> ReadNumber(const redisReply& reply);

void ReadBarrier(const redisReply& reply, PipelineEnd& end);

// UNAVAILABLE with Redis's words if `reply` is an error. OK: it is none.
absl::Status ErrorOf(const redisReply& reply);
absl::string_view TextOf(const redisReply& reply);

}  // namespace seatlock::log

#include "services/seatlock/engine/batch.h"

#include <algorithm>
#include <utility>

#include "services/seatlock/engine/lane.h"
#include "services/seatlock/log/codec/record_codec.h"

namespace seatlock::engine {

log::StoredRecord NextRecord(const log::Head& head, const domain::Change& change) {
  std::string bytes = log::EncodeChange(change);
  const log::Chain chain = log::ChainNext(head.chain, change.revision, bytes);
  return {change.revision, change.commit_ms, chain, std::move(bytes)};
}

bool TakesRoom(const Batch& batch) {
  return std::any_of(batch.changes.begin(), batch.changes.end(), [](const domain::Change& change) {
    return change.cause == domain::Cause::kLock || change.cause == domain::Cause::kSwap ||
           change.cause == domain::Cause::kExtend;
  });
}

bool Sells(const Batch& batch) {
  return std::any_of(batch.waiting.begin(), batch.waiting.end(), [](const Batch::Waiting& each) {
    return LaneOf(each.work.command) == Lane::kSelling;
  });
}

std::vector<log::StoredRecord> RecordsOf(const domain::ShowtimeId& showtime, const Batch& batch) {
  log::Head head = batch.before;
  if (head.revision.value() == 0) head.chain = log::ChainStart(showtime, batch.after.epoch);
  std::vector<log::StoredRecord> records;
  for (const domain::Change& change : batch.changes) {
    records.push_back(NextRecord(head, change));
    head.revision = records.back().revision;
    head.chain = records.back().chain;
  }
  return records;
}

}  // namespace seatlock::engine

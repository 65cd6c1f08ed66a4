#include "services/seatlock/log/verify.h"

#include "absl/strings/str_cat.h"

namespace seatlock::log {

absl::Status VerifyAppend(const AppendRequest& request) {
  if (request.records.empty()) return absl::OkStatus();
  if (request.epoch.empty()) return absl::InvalidArgumentError("append without an epoch");
  const bool first = request.expected.revision.value() == 0;
  if (!first && request.epoch != request.expected.epoch) {
    return absl::InvalidArgumentError("append would change the epoch of a history");
  }
  Chain chain = first ? ChainStart(request.showtime, request.epoch) : request.expected.chain;
  domain::Revision revision = request.expected.revision;
  for (const StoredRecord& record : request.records) {
    revision = revision.Next();
    chain = ChainNext(chain, revision, record.bytes);
    if (record.revision != revision || record.chain != chain) {
      return absl::InvalidArgumentError(absl::StrCat("append: record ", record.revision.value(),
                                                     " does not follow the one before it"));
    }
  }
  return absl::OkStatus();
}

absl::Status VerifyRecords(const domain::ShowtimeId& showtime, const Chain& before,
                           domain::Revision first, const std::vector<StoredRecord>& records) {
  Chain chain = before;
  domain::Revision revision = first;
  for (const StoredRecord& record : records) {
    if (record.revision != revision) return DataLoss(showtime, revision, "the record is missing");
    chain = ChainNext(chain, revision, record.bytes);
    if (record.chain != chain) {
      return DataLoss(showtime, revision, "the record does not fit the chain");
    }
    revision = revision.Next();
  }
  return absl::OkStatus();
}

absl::Status DataLoss(const domain::ShowtimeId& showtime, domain::Revision revision,
                      const char* what) {
  return absl::DataLossError(
      absl::StrCat("showtime ", showtime.value(), ", revision ", revision.value(), ": ", what));
}

}  // namespace seatlock::log

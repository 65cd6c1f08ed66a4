#include "services/seatlock/log/redis/replies.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/seatlock/log/redis/functions.h"
#include "services/seatlock/log/verify.h"

namespace seatlock::log {
namespace {

using domain::Revision;
using domain::ShowtimeId;
using Outcome = AppendResult::Outcome;

absl::Status Strange(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat("redis answers strangely: ", what));
}

bool IsArray(const redisReply& reply, size_t elements_min) {
  return reply.type == REDIS_REPLY_ARRAY && reply.elements >= elements_min;
}

uint64_t NumberOf(const redisReply& reply) {
  if (reply.type == REDIS_REPLY_INTEGER) return static_cast<uint64_t>(reply.integer);
  uint64_t number = 0;
  return absl::SimpleAtoi(TextOf(reply), &number) ? number : 0;
}

bool CopyChain(absl::string_view text, Chain& chain) {
  if (text.size() < chain.size()) return false;
  std::memcpy(chain.data(), text.data(), chain.size());
  return true;
}

// Epoch, revision, chain: the elements from `first` on.
absl::StatusOr<Head> ReadHead(const redisReply& reply, size_t first, const ShowtimeId& showtime) {
  Head head;
  head.epoch = domain::Epoch(std::string(TextOf(*reply.element[first])));
  head.revision = Revision(NumberOf(*reply.element[first + 1]));
  if (head.revision.value() == 0) return Head{};
  if (!CopyChain(TextOf(*reply.element[first + 2]), head.chain)) {
    return DataLoss(showtime, head.revision, "the head's chain is of a wrong size");
  }
  return head;
}

// An entry of the stream: its id, and its fields with their values.
absl::StatusOr<StoredRecord> ReadRecord(const redisReply& entry, const ShowtimeId& showtime) {
  if (!IsArray(entry, 2) || !IsArray(*entry.element[1], 6)) return Strange("an entry");
  StoredRecord record;
  const absl::string_view id = TextOf(*entry.element[0]);
  uint64_t revision = 0;
  if (!absl::SimpleAtoi(id.substr(0, id.find('-')), &revision)) return Strange("an entry's id");
  record.revision = Revision(revision);
  absl::string_view sealed;
  const redisReply& fields = *entry.element[1];
  for (size_t i = 0; i + 1 < fields.elements; i += 2) {
    const absl::string_view name = TextOf(*fields.element[i]);
    const redisReply& value = *fields.element[i + 1];
    if (name == "t" && !absl::SimpleAtoi(TextOf(value), &record.commit_ms)) {
      return DataLoss(showtime, record.revision, "the commit time is no number");
    }
    if (name == "c") sealed = TextOf(value);
    if (name == "b") record.bytes = std::string(TextOf(value));
  }
  const Seal seal = [&] {
    CopyChain(sealed, record.chain);
    return SealOf(record.chain, record.commit_ms);
  }();
  if (sealed.size() != record.chain.size() + seal.size()) {
    return DataLoss(showtime, record.revision, "the record's chain is of a wrong size");
  }
  if (std::memcmp(sealed.data() + record.chain.size(), seal.data(), seal.size()) != 0) {
    return DataLoss(showtime, record.revision, "the record's commit time does not fit its seal");
  }
  return record;
}

absl::StatusOr<std::vector<StoredRecord>> ReadRecords(const redisReply& entries,
                                                      const ShowtimeId& showtime) {
  if (entries.type != REDIS_REPLY_ARRAY) return Strange("no entries");
  std::vector<StoredRecord> records;
  records.reserve(entries.elements);
  for (size_t i = 0; i < entries.elements; ++i) {
    absl::StatusOr<StoredRecord> record = ReadRecord(*entries.element[i], showtime);
    if (!record.ok()) return record.status();
    records.push_back(*std::move(record));
  }
  return records;
}

absl::Status DamagedOr(const redisReply& reply, const ShowtimeId& showtime,
                       absl::string_view strange) {
  if (absl::Status error = ErrorOf(reply); !error.ok()) return error;
  if (IsArray(reply, 2) && NumberOf(*reply.element[0]) == uint64_t(FunctionAnswer::kDamaged)) {
    return absl::DataLossError(
        absl::StrCat("showtime ", showtime.value(), ": ", TextOf(*reply.element[1])));
  }
  return Strange(strange);
}

// Whether the records that are there are all that should be, of a page that ends before the head
// only because it is full.
absl::Status CheckComplete(const ShowtimeId& showtime, const Page& page, Revision from,
                           size_t max_records) {
  if (page.records.empty()) return DataLoss(showtime, from, "the record is missing");
  const StoredRecord& last = page.records.back();
  if (last.revision > page.head.revision) {
    return DataLoss(showtime, last.revision, "the record lies beyond the head");
  }
  if (last.revision == page.head.revision) {
    return last.chain == page.head.chain
               ? absl::OkStatus()
               : DataLoss(showtime, last.revision, "the record does not fit the head");
  }
  size_t bytes = 0;
  for (const StoredRecord& record : page.records) bytes += record.bytes.size();
  if (page.records.size() < max_records && bytes < kPageBytesMax) {
    return DataLoss(showtime, last.revision.Next(), "the record is missing");
  }
  return absl::OkStatus();
}

void ReadConflict(const redisReply& reply, const AppendQuestion& question, AppendResult& result) {
  absl::StatusOr<Head> head = ReadHead(reply, 1, question.showtime);
  absl::StatusOr<std::vector<StoredRecord>> missed =
      ReadRecords(*reply.element[5], question.showtime);
  result.status = !head.ok() ? head.status() : missed.status();
  if (result.status.ok() && !missed->empty()) {
    const Chain before = question.expected.revision.value() != 0
                             ? question.expected.chain
                             : ChainStart(question.showtime, head->epoch);
    result.status =
        VerifyRecords(question.showtime, before, question.expected.revision.Next(), *missed);
  }
  if (!result.status.ok()) return;
  result.outcome = Outcome::kConflict;
  result.head = *head;
  result.missed = *std::move(missed);
  result.rewritten = NumberOf(*reply.element[4]) != 0;
}

}  // namespace

absl::string_view TextOf(const redisReply& reply) {
  const bool has_text = reply.type == REDIS_REPLY_STRING || reply.type == REDIS_REPLY_STATUS ||
                        reply.type == REDIS_REPLY_ERROR;
  return has_text ? absl::string_view(reply.str, reply.len) : absl::string_view();
}

absl::Status ErrorOf(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ERROR) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("redis refuses: ", TextOf(reply)));
}

AppendResult NotAppended(absl::Status why) {
  AppendResult result;
  result.outcome = Outcome::kNotAppended;
  result.status = std::move(why);
  return result;
}

AppendResult UnknownAppend(const AppendQuestion& question, const absl::Status& why) {
  AppendResult result = NotAppended(absl::UnavailableError(why.message()));
  if (!question.confirmation) result.outcome = Outcome::kUnknown;
  return result;
}

AppendResult ReadAppend(const redisReply& reply, const AppendQuestion& question) {
  AppendResult result;
  if (reply.type == REDIS_REPLY_ERROR) {
    const ErrorMeaning meaning = MeaningOf(TextOf(reply));
    if (meaning == ErrorMeaning::kUnknown) return UnknownAppend(question, ErrorOf(reply));
    result = NotAppended(ErrorOf(reply));
    if (meaning == ErrorMeaning::kNoRoom && question.takes_room) result.outcome = Outcome::kNoRoom;
    return result;
  }
  if (reply.type == REDIS_REPLY_INTEGER && reply.integer == int64_t(FunctionAnswer::kDone)) {
    result.outcome = Outcome::kAppended;
    result.head = question.after;
    return result;
  }
  if (IsArray(reply, 6) && NumberOf(*reply.element[0]) == uint64_t(FunctionAnswer::kConflict)) {
    ReadConflict(reply, question, result);
    return result;
  }
  absl::Status damaged = DamagedOr(reply, question.showtime, "an append");
  if (!absl::IsDataLoss(damaged)) return UnknownAppend(question, damaged);
  return NotAppended(damaged);
}

absl::StatusOr<Page> ReadPage(const redisReply& reply, const ShowtimeId& showtime, Revision from,
                              size_t max_records) {
  if (!IsArray(reply, 7)) return DamagedOr(reply, showtime, "a page");
  absl::StatusOr<Head> head = ReadHead(reply, 1, showtime);
  if (!head.ok()) return head.status();
  absl::StatusOr<std::vector<StoredRecord>> records = ReadRecords(*reply.element[6], showtime);
  if (!records.ok()) return records.status();
  Page page{.head = *head, .oldest = Revision(NumberOf(*reply.element[4])), .records = {}};
  if (from < page.oldest || from > page.head.revision) return page;

  Chain before = ChainStart(showtime, page.head.epoch);
  if (from.value() > 1 && !CopyChain(TextOf(*reply.element[5]), before)) {
    return DataLoss(showtime, Revision(from.value() - 1), "the record is missing");
  }
  if (absl::Status status = VerifyRecords(showtime, before, from, *records); !status.ok()) {
    return status;
  }
  page.records = *std::move(records);
  absl::Status complete = CheckComplete(showtime, page, from, max_records);
  if (!complete.ok()) return complete;
  return page;
}

absl::StatusOr<LoadResult> ReadLoad(const redisReply& reply, const ShowtimeId& showtime) {
  if (!IsArray(reply, 8)) return DamagedOr(reply, showtime, "a showtime");
  LoadResult load;
  const redisReply& stored = *reply.element[7];
  Revision from(1);
  if (IsArray(stored, 5)) {
    absl::StatusOr<Head> head = ReadHead(stored, 0, showtime);
    if (!head.ok()) return head.status();
    load.snapshot = StoredSnapshot{.head = *head, .bytes = std::string(TextOf(*stored.element[4]))};
    from = head->revision.Next();
    Chain chain{};
    if (!CopyChain(TextOf(*reply.element[5]), chain) || chain != head->chain) {
      return DataLoss(showtime, head->revision, "the snapshot's record is missing");
    }
    const Chain hash = ChainNext(head->chain, head->revision, load.snapshot->bytes);
    Chain stored_hash{};
    if (!CopyChain(TextOf(*stored.element[3]), stored_hash) || stored_hash != hash) {
      return DataLoss(showtime, head->revision, "the snapshot does not fit its hash");
    }
  }
  absl::StatusOr<Page> tail = ReadPage(reply, showtime, from, kPageRecordsMax);
  if (!tail.ok()) return tail.status();
  if (from < tail->oldest) {
    return DataLoss(showtime, Revision(tail->oldest.value() - 1),
                    "the records up to here are trimmed, and there is no snapshot");
  }
  load.head = tail->head;
  load.tail = *std::move(tail);
  return load;
}

absl::Status ReadDone(const redisReply& reply, const ShowtimeId& showtime) {
  if (reply.type != REDIS_REPLY_INTEGER) return DamagedOr(reply, showtime, "a call");
  if (reply.integer == int64_t(FunctionAnswer::kNotInHistory)) {
    return absl::FailedPreconditionError("the snapshot is not of this showtime's history");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::pair<std::string, int64_t>>> ReadScores(const redisReply& reply) {
  if (absl::Status error = ErrorOf(reply); !error.ok()) return error;
  if (reply.type != REDIS_REPLY_ARRAY) return Strange("no scores");
  std::vector<std::pair<std::string, int64_t>> scores;
  for (size_t i = 0; i + 1 < reply.elements; i += 2) {
    double score = 0;
    if (!absl::SimpleAtod(TextOf(*reply.element[i + 1]), &score)) return Strange("a score");
    // One that was not written by us, such as infinity, must not keep the others from being read.
    score = std::clamp(score, -0x1p53, 0x1p53);
    scores.emplace_back(std::string(TextOf(*reply.element[i])), static_cast<int64_t>(score));
  }
  return scores;
}

absl::StatusOr<std::vector<std::pair<std::string, int64_t>>> ReadClaimed(const redisReply& reply) {
  if (!IsArray(reply, 2) || reply.element[1]->type != REDIS_REPLY_ARRAY) {
    return DamagedOr(reply, ShowtimeId("(of a partition)"), "a claim");
  }
  return ReadScores(*reply.element[1]);
}

absl::StatusOr<std::vector<std::string>> ReadTexts(const redisReply& reply) {
  if (absl::Status error = ErrorOf(reply); !error.ok()) return error;
  if (reply.type != REDIS_REPLY_ARRAY) return Strange("no texts");
  std::vector<std::string> texts;
  for (size_t i = 0; i < reply.elements; ++i) texts.emplace_back(TextOf(*reply.element[i]));
  return texts;
}

absl::StatusOr<int64_t> ReadNumber(const redisReply& reply) {
  if (absl::Status error = ErrorOf(reply); !error.ok()) return error;
  return static_cast<int64_t>(NumberOf(reply));
}

void ReadBarrier(const redisReply& reply, PipelineEnd& end) {
  end.barrier = ErrorOf(reply);
  if (!end.barrier.ok()) return;
  if (!IsArray(reply, 5)) {
    end.barrier = Strange("a barrier");
    return;
  }
  end.time.store_us =
      static_cast<int64_t>(NumberOf(*reply.element[0]) * 1'000'000 + NumberOf(*reply.element[1]));
  end.installation = std::string(TextOf(*reply.element[2]));
  end.layout = static_cast<int64_t>(NumberOf(*reply.element[3]));
  end.counter = NumberOf(*reply.element[4]);
  // Functions of version 1 do not say it.
  end.restoring = reply.elements > 5 && NumberOf(*reply.element[5]) != 0;
}

}  // namespace seatlock::log

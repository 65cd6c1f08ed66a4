// A log's calls made to wait for their answers, and records to append. For tests, on any log.
//
// Every wait has a deadline; a log that does not answer ends the test. Thread-safe.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <future>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/seatlock/log/showtime_log.h"

namespace seatlock::testing {

// What `future` brings, within a minute.
template <typename T>
T Await(std::future<T> future) {
  if (future.wait_for(std::chrono::seconds(60)) != std::future_status::ready) {
    std::cerr << "the log has not answered within 60 s\n";
    std::abort();
  }
  return future.get();
}

// `ask` is handed a callback that takes one T; its answer is returned.
template <typename T, typename F>
T Answer(F ask) {
  auto promise = std::make_shared<std::promise<T>>();
  std::future<T> future = promise->get_future();
  ask([promise](T value) { promise->set_value(std::move(value)); });
  return Await(std::move(future));
}

inline log::AppendResult Append(log::ShowtimeLog& log, log::AppendRequest request) {
  return Answer<log::AppendResult>(
      [&](auto done) { log.Append(std::move(request), std::move(done)); });
}

inline absl::StatusOr<log::Page> Read(log::ShowtimeLog& log, const std::string& showtime,
                                      uint64_t from, size_t max_records = log::kPageRecordsMax) {
  return Answer<absl::StatusOr<log::Page>>([&](auto done) {
    log.Read(domain::ShowtimeId(showtime), domain::Revision(from), max_records, std::move(done));
  });
}

inline absl::StatusOr<log::LoadResult> Load(log::ShowtimeLog& log, const std::string& showtime) {
  return Answer<absl::StatusOr<log::LoadResult>>(
      [&](auto done) { log.Load(domain::ShowtimeId(showtime), std::move(done)); });
}

inline absl::Status SaveSnapshot(log::ShowtimeLog& log, const std::string& showtime,
                                 log::StoredSnapshot snapshot) {
  return Answer<absl::Status>([&](auto done) {
    log.SaveSnapshot(domain::ShowtimeId(showtime), std::move(snapshot), std::move(done));
  });
}

inline absl::Status Trim(log::ShowtimeLog& log, const std::string& showtime, int64_t before_ms,
                         uint64_t keep) {
  return Answer<absl::Status>(
      [&](auto done) { log.Trim(domain::ShowtimeId(showtime), before_ms, keep, std::move(done)); });
}

inline absl::StatusOr<std::vector<log::DueShowtime>> Due(log::ShowtimeLog& log, int64_t now_ms,
                                                         size_t limit, log::DueCursor after = {}) {
  return Answer<absl::StatusOr<std::vector<log::DueShowtime>>>(
      [&](auto done) { log.Due(now_ms, limit, std::move(after), std::move(done)); });
}

inline absl::StatusOr<std::vector<log::DueShowtime>> ClaimDue(log::ShowtimeLog& log, int64_t now_ms,
                                                              size_t limit, int64_t lease_ms) {
  return Answer<absl::StatusOr<std::vector<log::DueShowtime>>>(
      [&](auto done) { log.ClaimDue(now_ms, limit, lease_ms, std::move(done)); });
}

inline absl::StatusOr<log::ChangedShowtimes> ChangedSince(log::ShowtimeLog& log,
                                                          log::ChangeMark mark) {
  return Answer<absl::StatusOr<log::ChangedShowtimes>>(
      [&](auto done) { log.ChangedSince(std::move(mark), std::move(done)); });
}

inline absl::StatusOr<std::vector<log::ListedShowtime>> List(log::ShowtimeLog& log,
                                                             const std::string& after,
                                                             size_t limit) {
  return Answer<absl::StatusOr<std::vector<log::ListedShowtime>>>(
      [&](auto done) { log.List(domain::ShowtimeId(after), limit, std::move(done)); });
}

inline absl::Status Delete(log::ShowtimeLog& log, const std::string& showtime) {
  return Answer<absl::Status>(
      [&](auto done) { log.Delete(domain::ShowtimeId(showtime), std::move(done)); });
}

inline absl::Status Recover(log::ShowtimeLog& log) {
  return Answer<absl::Status>([&](auto done) { log.Recover(std::move(done)); });
}

// Appends `bytes`, one record each, after `expected`. The records' commit times are 1000 times
// their revisions.
inline log::AppendRequest AppendOf(const std::string& showtime, const log::Head& expected,
                                   const std::vector<std::string>& bytes,
                                   std::optional<int64_t> wake_ms = std::nullopt,
                                   const std::string& first_epoch = "epoch-1") {
  log::AppendRequest request;
  request.showtime = domain::ShowtimeId(showtime);
  request.expected = expected;
  const bool first = expected.revision.value() == 0;
  request.epoch = first ? domain::Epoch(first_epoch) : expected.epoch;
  request.wake_ms = wake_ms;
  log::Chain chain = first ? log::ChainStart(request.showtime, request.epoch) : expected.chain;
  domain::Revision revision = expected.revision;
  for (const std::string& each : bytes) {
    revision = revision.Next();
    chain = log::ChainNext(chain, revision, each);
    request.records.push_back({.revision = revision,
                               .commit_ms = static_cast<int64_t>(revision.value()) * 1000,
                               .chain = chain,
                               .bytes = each});
  }
  return request;
}

}  // namespace seatlock::testing

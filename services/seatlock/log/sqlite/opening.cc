#include "services/seatlock/log/sqlite/opening.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "services/seatlock/log/showtime_log.h"
#include "services/seatlock/log/sqlite/files.h"

namespace seatlock::log {

Meta Renewed(Meta meta) {
  meta.generation = base::RandomHex(kGenerationBytes);
  ++meta.commits;
  meta.is_copy = false;
  return meta;
}

absl::StatusOr<Opening> Opening::Look(const std::string& path, const std::string& vfs) {
  Opening opening(path);
  std::error_code error;
  opening.had_mark_file_ = std::filesystem::exists(MarkOf(path), error);
  opening.mark_ = Mark::Read(MarkOf(path));
  if (opening.mark_ && opening.mark_->restoring) {
    return absl::FailedPreconditionError(
        absl::StrCat("a restore of ", path, " was cut short: run seatlockd store restore again"));
  }
  opening.had_wal_ = SizeOf(WalOf(path)) > 0;
  const bool is_there = SizeOf(path) > 0;
  if (!is_there && (opening.had_wal_ || opening.mark_)) {
    opening.notice_ =
        "the file was not there, though what lies beside it is: this is an empty store";
  }
  const bool is_old = is_there && opening.MainVersion(vfs) < kSchemaVersion;
  // A mark is made of a file of the present version only.
  const bool is_marks = is_there && !(is_old && opening.mark_);
  if (opening.had_wal_ && (!is_marks || (!is_old && opening.WalIsAnothers(vfs)))) {
    if (absl::Status status = opening.MoveWalAside(); !status.ok()) return status;
  }
  // The tables that such a file gets now lie in its write-ahead log at first. With another file's
  // mark beside it, the next start would take that log for another's too.
  if (!is_marks && opening.had_mark_file_) {
    std::remove(MarkOf(path).c_str());
    if (absl::Status status = SyncFolderOf(path); !status.ok()) return status;
  }
  return opening;
}

// A checkpoint that was cut short may have left any mixture of pages: an error says nothing, here
// and below.
int64_t Opening::MainVersion(const std::string& vfs) const {
  absl::StatusOr<Connection> main = Connection::OpenMainAlone(path_, vfs);
  if (!main.ok()) return kSchemaVersion;
  return VersionOf(*main, path_).value_or(kSchemaVersion);
}

bool Opening::WalIsAnothers(const std::string& vfs) const {
  absl::StatusOr<Connection> main = Connection::OpenMainAlone(path_, vfs);
  if (!main.ok()) return false;
  absl::StatusOr<Meta> meta = ReadMeta(*main);  // the row lies within one sector and is whole
  if (!meta.ok()) return false;
  if (meta->is_copy) return true;
  return mark_ && (mark_->generation != meta->generation || meta->commits < mark_->floor);
}

absl::Status Opening::MoveWalAside() {
  const std::string aside = FreeName(WalOf(path_), ".set-aside");
  if (std::rename(WalOf(path_).c_str(), aside.c_str()) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot move ", WalOf(path_), " aside"));
  }
  std::remove(ShmOf(path_).c_str());
  had_wal_ = false;
  absl::StrAppend(&notice_, notice_.empty() ? "" : "; ", "the write-ahead log of another file was ",
                  "beside it and is kept as ", aside);
  return SyncFolderOf(path_);
}

std::string Opening::WhyRenew(const Meta& meta) const {
  if (meta.is_copy) return "a backup was put in its place";
  if (!had_mark_file_) return "its mark is missing, so it may have been put back";
  if (!mark_) return "its mark is damaged, so it may have been put back";
  if (mark_->generation != meta.generation) return "its mark is of another history";
  if (mark_->commits > meta.commits) {
    return absl::StrCat("it has gone back, from commit ", mark_->commits, " at least to ",
                        meta.commits);
  }
  return "";
}

namespace {

// Moves all that the write-ahead log holds into the main file, and syncs that.
absl::Status MoveWalIntoMain(Connection& connection) {
  int in_log = 0, moved = 0;
  const int code =
      sqlite3_wal_checkpoint_v2(connection.get(), nullptr, SQLITE_CHECKPOINT_FULL, &in_log, &moved);
  if (code == SQLITE_OK && in_log == moved) return absl::OkStatus();
  if (code != SQLITE_OK && !connection.IsBusy()) return connection.Error("checkpoint");
  return absl::UnavailableError(
      "another program reads the store's file, and this start has to write it: end that first");
}

}  // namespace

absl::Status Opening::Settle(Connection& connection, const Meta* renewed) {
  absl::Status status = MoveWalIntoMain(connection);
  if (!status.ok() || renewed == nullptr) return status;
  // By itself, so that only one row is moved. If this is cut short, the main file has the former
  // generation or the new one, and either way all the rest; the write-ahead log can be missed.
  status = WriteMeta(connection, *renewed);
  return status.ok() ? MoveWalIntoMain(connection) : status;
}

absl::StatusOr<Mark> Opening::Finish(Connection& connection, int64_t found) {
  absl::StatusOr<Meta> meta = ReadMeta(connection);
  if (!meta.ok()) return meta.status();
  const bool is_fresh = found < kSchemaVersion;  // it got its generation just now
  const std::string why = is_fresh ? "" : WhyRenew(*meta);
  const bool is_same = !is_fresh && why.empty();  // then the mark is there, and of this file
  if (!why.empty()) *meta = Renewed(*std::move(meta));
  if (!is_same) {
    absl::Status status = Settle(connection, why.empty() ? nullptr : &*meta);
    if (!status.ok()) return status;
  }
  const uint64_t floor = is_same && had_wal_ ? mark_->floor : meta->commits;
  if (!why.empty()) {
    notice_ = absl::StrCat("its history counts as another one from now on: ", why,
                           notice_.empty() ? "" : "; ", notice_);
  }
  const MarkRecord record{.generation = meta->generation, .commits = meta->commits, .floor = floor};
  if (is_same) {
    if (absl::StatusOr<Mark> mark = Mark::GoOn(MarkOf(path_), record); mark.ok()) return mark;
  }
  return Mark::Create(MarkOf(path_), record);
}

}  // namespace seatlock::log

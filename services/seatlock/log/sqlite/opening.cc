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
  if (opening.had_wal_ && (!is_there || opening.MainIsOlderThanItsWal(vfs))) {
    if (absl::Status status = opening.MoveWalAside(); !status.ok()) return status;
  }
  return opening;
}

bool Opening::MainIsOlderThanItsWal(const std::string& vfs) const {
  absl::StatusOr<Connection> main = Connection::OpenMainAlone(path_, vfs);
  if (!main.ok()) return false;
  // A checkpoint that was cut short may have left any mixture of pages: an error says nothing. The
  // row itself lies within one sector and is whole.
  absl::StatusOr<Meta> meta = ReadMeta(*main);
  if (!meta.ok()) return false;
  if (meta->is_copy) return true;
  return mark_ && mark_->generation == meta->generation && meta->commits < mark_->floor;
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

absl::StatusOr<Mark> Opening::Finish(Connection& connection, int64_t found) {
  absl::StatusOr<Meta> meta = ReadMeta(connection);
  if (!meta.ok()) return meta.status();
  const bool is_fresh = found < kSchemaVersion;  // it got its generation just now
  const std::string why = is_fresh ? "" : WhyRenew(*meta);
  uint64_t floor = 0;
  if (!had_wal_) {
    floor = is_fresh ? 0 : meta->commits;
  } else if (why.empty() && mark_ && mark_->generation == meta->generation) {
    floor = mark_->floor;
  }
  if (!why.empty()) {
    *meta = Renewed(*std::move(meta));
    if (absl::Status status = WriteMeta(connection, *meta); !status.ok()) return status;
    notice_ = absl::StrCat("its history counts as another one from now on: ", why,
                           notice_.empty() ? "" : "; ", notice_);
  }
  return Mark::Create(MarkOf(path_),
                      {.generation = meta->generation, .commits = meta->commits, .floor = floor});
}

}  // namespace seatlock::log

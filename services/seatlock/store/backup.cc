#include "services/seatlock/store/backup.h"

#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/seatlock/log/sqlite/copy.h"
#include "services/seatlock/log/sqlite/file_lock.h"
#include "services/seatlock/log/sqlite/files.h"
#include "services/seatlock/log/sqlite/mark.h"
#include "services/seatlock/log/sqlite/schema.h"
#include "services/seatlock/store/held_signals.h"
#include "services/seatlock/store/verify.h"

namespace seatlock::store {
namespace {

namespace fs = std::filesystem;

absl::Status Move(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot move ", from, ": ", error.message()));
}

// Whether anything is at `path`, be it a link that leads nowhere.
absl::StatusOr<bool> IsThere(const std::string& path) {
  std::error_code error;
  const fs::file_type type = fs::symlink_status(path, error).type();
  if (type == fs::file_type::not_found) return false;
  if (!error) return true;
  return absl::UnavailableError(absl::StrCat("cannot look at ", path, ": ", error.message()));
}

// Whether a restore may put a store in the place of what is at `path`: of a store, even a damaged
// one if its mark tells that it is one, or of an empty file.
absl::Status CheckTarget(const std::string& path) {
  absl::StatusOr<bool> there = IsThere(path);
  if (!there.ok()) return there.status();
  if (!*there) return absl::OkStatus();
  std::error_code error;
  if (fs::symlink_status(path, error).type() != fs::file_type::regular) {
    return absl::FailedPreconditionError(path + " is no file");
  }
  if (log::SizeOf(path) == 0 || log::Mark::Read(log::MarkOf(path))) return absl::OkStatus();
  absl::Status status = log::OpenStoreToRead(path).status();
  if (status.ok()) return status;
  return absl::FailedPreconditionError(
      absl::StrCat(status.message(), "; nothing was changed: move it away first"));
}

void RemoveStore(const std::string& path) {
  std::error_code ignored;
  for (const std::string& file : {path, log::WalOf(path), log::ShmOf(path), path + "-journal"}) {
    fs::remove(file, ignored);
  }
}

absl::Status CopyTo(const std::string& from, const std::string& to, const HeldSignals& signals,
                    Progress& progress) {
  absl::Status status = log::CopyStore(from, to, [&](int64_t done, int64_t total) {
    progress.Update("copying", done, total);
    return !signals.Came();
  });
  if (status.ok()) return status;
  RemoveStore(to);
  progress.Clear();  // a signal may end the process before the caller does
  return status;
}

// Moves the files of the store at `path` out of the way, to names by which it can still be opened.
absl::StatusOr<std::string> KeepFormer(const std::string& path) {
  const std::string kept = log::FreeName(path, ".before-restore");
  const std::pair<std::string, std::string> files[] = {{log::WalOf(path), log::WalOf(kept)},
                                                       {path, kept}};
  bool any = false;
  for (const auto& [from, to] : files) {
    absl::StatusOr<bool> there = IsThere(from);
    if (!there.ok()) return there.status();
    if (!*there) continue;
    if (absl::Status status = Move(from, to); !status.ok()) return status;
    any = true;
  }
  std::error_code ignored;
  fs::remove(log::ShmOf(path), ignored);
  return any ? kept : "";
}

absl::StatusOr<std::string> Swap(const std::string& ready, const std::string& path,
                                 log::MarkRecord record) {
  record.restoring = true;
  absl::StatusOr<log::Mark> mark = log::Mark::Create(log::MarkOf(path), record);
  if (!mark.ok()) return mark.status();
  absl::StatusOr<std::string> kept = KeepFormer(path);
  if (!kept.ok()) return kept;
  absl::Status status = Move(ready, path);
  if (status.ok()) status = log::SyncFolderOf(path);
  if (!status.ok()) return status;
  record.restoring = false;
  mark = log::Mark::Create(log::MarkOf(path), record);
  if (!mark.ok()) return mark.status();
  return kept;
}

}  // namespace

absl::Status BackupStore(const std::string& from, const std::string& to, Progress& progress) {
  const absl::Status is_there = absl::FailedPreconditionError(to + " is there already");
  absl::StatusOr<bool> there = IsThere(to);
  if (!there.ok()) return there.status();
  if (*there) return is_there;
  // Whatever has the name ".partial" already is not ours to remove.
  const std::string partial = log::FreeName(to, ".partial");
  const HeldSignals signals;
  if (absl::Status status = CopyTo(from, partial, signals, progress); !status.ok()) return status;
  // A link, for unlike a rename it fails if somebody made `to` meanwhile.
  std::error_code error;
  std::error_code ignored;
  fs::create_hard_link(partial, to, error);
  if (error && error != std::errc::file_exists && !fs::exists(to, ignored)) {
    fs::rename(partial, to, error);  // some file systems, such as a stick's, have no links
  }
  RemoveStore(partial);
  if (error == std::errc::file_exists) return is_there;
  if (error) return absl::UnavailableError("cannot make " + to + ": " + error.message());
  return log::SyncFolderOf(to);
}

absl::StatusOr<RestoreReport> RestoreStore(const std::string& from, const std::string& to,
                                           Progress& progress) {
  std::error_code error;
  const std::string path = fs::weakly_canonical(to, error).string();
  if (error) return absl::UnavailableError("cannot resolve " + to + ": " + error.message());
  if (fs::equivalent(from, path, error)) {
    return absl::FailedPreconditionError(from + " is the store itself");
  }
  if (absl::Status status = CheckTarget(path); !status.ok()) return status;
  absl::StatusOr<log::FileLock> lock = log::FileLock::Acquire(log::LockOf(path));
  if (!lock.ok()) return lock.status();
  absl::StatusOr<VerifyReport> sound = VerifyStore(StoreConfig::Sqlite(from), progress);
  if (!sound.ok()) return sound.status();
  if (sound->faults > 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(from, " is not sound, nothing was changed: ", sound->first_fault));
  }
  const std::string ready = path + ".restoring";
  RemoveStore(ready);  // of a restore that was cut short
  {
    const HeldSignals signals;
    if (absl::Status status = CopyTo(from, ready, signals, progress); !status.ok()) return status;
  }
  absl::StatusOr<log::MarkRecord> record = log::AdoptCopy(ready);
  if (!record.ok()) return record.status();
  // If the former store can be made one file it is; what is damaged is kept as it is.
  const absl::StatusOr<std::string> notice =
      log::SizeOf(path) > 0 ? log::MakeOneFile(path) : std::string();
  absl::StatusOr<std::string> kept = Swap(ready, path, *std::move(record));
  if (!kept.ok()) return kept.status();
  return RestoreReport{.showtimes = sound->showtimes,
                       .changes = sound->changes,
                       .kept_as = *std::move(kept),
                       .notice = notice.ok() ? *notice : ""};
}

}  // namespace seatlock::store

#include "tests/testing/power_loss_vfs.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <utility>

namespace seatlock::testing {

// What SQLite holds of an open file. The real file's object lies behind it.
struct PowerLossFile {
  sqlite3_file base;  // first: SQLite sees this alone
  PowerLossVfs* disk;
  std::string* path;

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  static PowerLossFile& Of(sqlite3_file* file) { return *reinterpret_cast<PowerLossFile*>(file); }
  static sqlite3_file* Real(sqlite3_file* file) { return Of(file).real(); }

  static int Close(sqlite3_file* file) {
    delete std::exchange(Of(file).path, nullptr);
    return Real(file)->pMethods->xClose(Real(file));
  }

  static int Read(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
    if (int code = Of(file).disk->ReadFault(); code != SQLITE_OK) return code;
    return Real(file)->pMethods->xRead(Real(file), out, size, offset);
  }

  static int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
    PowerLossVfs::Change change;
    change.offset = offset;
    change.bytes.assign(static_cast<const char*>(data), size);
    return Of(file).disk->Write(
        *Of(file).path, std::move(change),
        [](sqlite3_file* real, const PowerLossVfs::Change& done) {
          return real->pMethods->xWrite(real, done.bytes.data(),
                                        static_cast<int>(done.bytes.size()), done.offset);
        },
        Real(file));
  }

  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    PowerLossVfs::Change change;
    change.truncate = true;
    change.offset = size;
    return Of(file).disk->Write(
        *Of(file).path, std::move(change),
        [](sqlite3_file* real, const PowerLossVfs::Change& done) {
          return real->pMethods->xTruncate(real, done.offset);
        },
        Real(file));
  }

  static int Sync(sqlite3_file* file, int) { return Of(file).disk->Sync(*Of(file).path); }

  static const sqlite3_io_methods& Methods();
};

static_assert(sizeof(PowerLossFile) % alignof(std::max_align_t) == 0 ||
                  sizeof(PowerLossFile) % 8 == 0,
              "the real file's object follows at once");

// Locks, shared memory and the like are the real file's own business.
const sqlite3_io_methods& PowerLossFile::Methods() {
  static const sqlite3_io_methods kMethods = {
      .iVersion = 2,
      .xClose = &Close,
      .xRead = &Read,
      .xWrite = &Write,
      .xTruncate = &Truncate,
      .xSync = &Sync,
      .xFileSize = [](sqlite3_file* f,
                      sqlite3_int64* size) { return Real(f)->pMethods->xFileSize(Real(f), size); },
      .xLock = [](sqlite3_file* f, int how) { return Real(f)->pMethods->xLock(Real(f), how); },
      .xUnlock = [](sqlite3_file* f, int how) { return Real(f)->pMethods->xUnlock(Real(f), how); },
      .xCheckReservedLock =
          [](sqlite3_file* f, int* out) {
            return Real(f)->pMethods->xCheckReservedLock(Real(f), out);
          },
      .xFileControl = [](sqlite3_file* f, int op,
                         void* arg) { return Real(f)->pMethods->xFileControl(Real(f), op, arg); },
      .xSectorSize = [](sqlite3_file* f) { return Real(f)->pMethods->xSectorSize(Real(f)); },
      .xDeviceCharacteristics =
          [](sqlite3_file* f) { return Real(f)->pMethods->xDeviceCharacteristics(Real(f)); },
      .xShmMap =
          [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
            return Real(f)->pMethods->xShmMap(Real(f), page, size, extend, out);
          },
      .xShmLock = [](sqlite3_file* f, int offset, int n,
                     int flags) { return Real(f)->pMethods->xShmLock(Real(f), offset, n, flags); },
      .xShmBarrier = [](sqlite3_file* f) { Real(f)->pMethods->xShmBarrier(Real(f)); },
      .xShmUnmap = [](sqlite3_file* f,
                      int remove) { return Real(f)->pMethods->xShmUnmap(Real(f), remove); },
      .xFetch = nullptr,
      .xUnfetch = nullptr,
  };
  return kMethods;
}

PowerLossVfs::PowerLossVfs(uint64_t seed)
    : name_("power-loss-" + std::to_string(reinterpret_cast<uintptr_t>(this))),
      real_(sqlite3_vfs_find(nullptr)),
      vfs_(*real_),
      random_(seed) {
  vfs_.pNext = nullptr;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.szOsFile = static_cast<int>(sizeof(PowerLossFile)) + real_->szOsFile;
  vfs_.iVersion = 1;
  vfs_.xOpen = &Open;
  vfs_.xDelete = &Delete;
  sqlite3_vfs_register(&vfs_, 0);
}

PowerLossVfs::~PowerLossVfs() {
  sqlite3_vfs_unregister(&vfs_);
}

int PowerLossVfs::Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags,
                       int* out_flags) {
  auto* self = static_cast<PowerLossVfs*>(vfs->pAppData);
  if (self->IsCut()) return SQLITE_CANTOPEN;
  // Temporary files have no name and outlive no cut.
  if (path == nullptr) return SQLITE_CANTOPEN;
  auto* opened = new (file) PowerLossFile{};
  self->Track(path);
  const int code = self->real_->xOpen(self->real_, path, opened->real(), flags, out_flags);
  if (code != SQLITE_OK) return code;
  opened->disk = self;
  opened->path = new std::string(path);
  opened->base.pMethods = &PowerLossFile::Methods();
  return SQLITE_OK;
}

int PowerLossVfs::Delete(sqlite3_vfs* vfs, const char* path, int sync_dir) {
  auto* self = static_cast<PowerLossVfs*>(vfs->pAppData);
  base::MutexLock lock(self->mu_);
  if (self->cut_) return SQLITE_IOERR_DELETE;
  self->files_.erase(path);
  return self->real_->xDelete(self->real_, path, sync_dir);
}

void PowerLossVfs::Track(const std::string& path) {
  base::MutexLock lock(mu_);
  auto [entry, is_new] = files_.try_emplace(path);
  if (!is_new || !std::filesystem::exists(path)) return;
  std::ifstream in(path, std::ios::binary);
  entry->second.disk.assign(std::istreambuf_iterator<char>(in), {});
  entry->second.on_disk = true;
}

int PowerLossVfs::Write(const std::string& path, Change change,
                        int (*do_it)(sqlite3_file*, const Change&), sqlite3_file* real) {
  base::MutexLock lock(mu_);
  if (cut_) return SQLITE_IOERR_WRITE;
  if (write_fault_ != SQLITE_OK) return write_fault_;
  if (full_ && !change.truncate) {
    const auto end = static_cast<uint64_t>(change.offset) + change.bytes.size();
    if (end > std::filesystem::file_size(path)) return SQLITE_FULL;
  }
  // A write during which the power goes may reach the disk all the same.
  const bool cuts = CutsHere();
  const int code = cuts ? SQLITE_IOERR_WRITE : do_it(real, change);
  files_[path].pending.push_back(std::move(change));
  return code;
}

int PowerLossVfs::Sync(const std::string& path) {
  base::MutexLock lock(mu_);
  if (cut_) return SQLITE_IOERR_FSYNC;
  FileState& state = files_[path];
  if (sync_fault_ != SQLITE_OK) {
    LosePending(state);
    return sync_fault_;
  }
  if (CutsHere()) return SQLITE_IOERR_FSYNC;
  for (const Change& change : state.pending) Apply(change, state.disk);
  state.pending.clear();
  state.on_disk = true;
  ++syncs_;
  return SQLITE_OK;
}

int PowerLossVfs::ReadFault() const {
  base::MutexLock lock(mu_);
  return cut_ ? SQLITE_IOERR_READ : read_fault_;
}

bool PowerLossVfs::CutsHere() {
  if (operations_until_cut_ == 0 || --operations_until_cut_ > 0) return false;
  cut_ = true;
  return true;
}

uint64_t PowerLossVfs::Random(uint64_t below) {
  return std::uniform_int_distribution<uint64_t>(0, below - 1)(random_);
}

void PowerLossVfs::Apply(const Change& change, std::string& contents) {
  const size_t offset = static_cast<size_t>(change.offset);
  if (change.truncate) {
    contents.resize(offset);
    return;
  }
  const size_t end = offset + change.bytes.size();
  if (contents.size() < end) contents.resize(end);
  std::copy(change.bytes.begin(), change.bytes.end(), contents.begin() + offset);
}

void PowerLossVfs::LosePending(FileState& state) {
  constexpr size_t kSector = 512;
  for (Change& change : state.pending) {
    const uint64_t fate = Random(3);  // 0: lost, 1: torn, 2: kept
    if (fate != 2) ++lost_writes_;
    if (fate == 0 || (fate == 1 && change.truncate)) continue;
    if (fate == 1) {
      // The sectors' bounds are the disk's, not the write's.
      const size_t last = static_cast<size_t>(change.offset) + change.bytes.size();
      const size_t cut = change.offset + Random(change.bytes.size() + 1);
      const size_t bound = cut / kSector * kSector;
      if (bound <= static_cast<size_t>(change.offset) || bound > last) continue;
      change.bytes.resize(bound - change.offset);
    }
    Apply(change, state.disk);
    state.on_disk = true;
  }
  state.pending.clear();
}

void PowerLossVfs::CutAt(uint64_t operation) {
  base::MutexLock lock(mu_);
  operations_until_cut_ = operation;
}

void PowerLossVfs::CutNow() {
  base::MutexLock lock(mu_);
  cut_ = true;
}

bool PowerLossVfs::IsCut() const {
  base::MutexLock lock(mu_);
  return cut_;
}

void PowerLossVfs::Restore() {
  base::MutexLock lock(mu_);
  for (auto& [path, state] : files_) {
    LosePending(state);
    std::filesystem::remove(path);
    std::filesystem::remove(path + "-shm");  // memory shared by processes, gone with them
    if (!state.on_disk) continue;
    std::ofstream out(path, std::ios::binary);
    out.write(state.disk.data(), static_cast<std::streamsize>(state.disk.size()));
  }
  files_.clear();
  cut_ = false;
  operations_until_cut_ = 0;
}

void PowerLossVfs::FailWrites(int code) {
  base::MutexLock lock(mu_);
  write_fault_ = code;
}

void PowerLossVfs::FailSyncs(int code) {
  base::MutexLock lock(mu_);
  sync_fault_ = code;
}

void PowerLossVfs::FailReads(int code) {
  base::MutexLock lock(mu_);
  read_fault_ = code;
}

void PowerLossVfs::FillDisk() {
  base::MutexLock lock(mu_);
  full_ = true;
}

void PowerLossVfs::Heal() {
  base::MutexLock lock(mu_);
  full_ = false;
  write_fault_ = sync_fault_ = read_fault_ = SQLITE_OK;
}

uint64_t PowerLossVfs::lost_writes() const {
  base::MutexLock lock(mu_);
  return lost_writes_;
}

uint64_t PowerLossVfs::syncs() const {
  base::MutexLock lock(mu_);
  return syncs_;
}

}  // namespace seatlock::testing

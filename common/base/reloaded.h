// What was made of files that may be replaced while the program runs: keys, certificates, tokens.
//
//   auto keys = Reloaded<Keys>::Open(clock, {path}, [path] { return LoadKeys(path); }, report);
//   if (!keys.ok()) return Fail(keys.status());
//   (*keys)->Tick();              // from the program's ticker, as often as that likes
//   std::shared_ptr<const Keys> now = (*keys)->Get();
//
// Tick looks at the files once a second and loads them again if they are not as they were. A file
// that is being written has another stamp at each look, so a change is loaded when two looks in a
// row saw the same: at most 2 s after it. If the new content cannot be used, the last good one
// stays, and `report` hears why once; the next change is tried again.
//
// Get is thread-safe and never waits for a disk. Tick is called by one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/read_file.h"

namespace seatlock::base {

template <typename T>
class Reloaded {
 public:
  // Reads the files and makes of them what they mean. An error is one clear line that names the
  // file and tells no secret.
  using Load = std::function<absl::StatusOr<T>()>;
  // Called after each load but the first: OK if the new content is in use, else why it is not.
  using Report = std::function<void(const absl::Status&)>;

  // Loads at once; the error of `load` if that fails. `clock` outlives the object. `paths` are the
  // files that `load` reads.
  static absl::StatusOr<std::unique_ptr<Reloaded>> Open(const Clock& clock,
                                                        std::vector<std::string> paths, Load load,
                                                        Report report) {
    std::unique_ptr<Reloaded> made(
        new Reloaded(clock, std::move(paths), std::move(load), std::move(report)));
    absl::StatusOr<T> first = made->load_();
    if (!first.ok()) return first.status();
    MutexLock lock(made->mu_);
    made->value_ = std::make_shared<const T>(*std::move(first));
    return made;
  }

  // The last good one; never null.
  std::shared_ptr<const T> Get() const {
    MutexLock lock(mu_);
    return value_;
  }

  // Looks at the files if the last look is a second ago. Blocks for the disk.
  void Tick() {
    const int64_t now_ms = clock_.MonotonicMs();
    if (now_ms - looked_ms_ < kLookMs) return;
    looked_ms_ = now_ms;
    std::vector<FileStamp> stamps = Look();
    const bool settled = stamps == seen_;
    seen_ = std::move(stamps);
    if (!settled || seen_ == loaded_) return;
    loaded_ = seen_;
    report_(LoadAgain());
  }

 private:
  static constexpr int64_t kLookMs = 1000;

  Reloaded(const Clock& clock, std::vector<std::string> paths, Load load, Report report)
      : clock_(clock),
        paths_(std::move(paths)),
        load_(std::move(load)),
        report_(std::move(report)),
        looked_ms_(clock.MonotonicMs()),
        seen_(Look()),
        loaded_(seen_) {}

  std::vector<FileStamp> Look() const {
    std::vector<FileStamp> stamps;
    for (const std::string& path : paths_) stamps.push_back(StampOf(path));
    return stamps;
  }

  absl::Status LoadAgain() {
    absl::StatusOr<T> next = load_();
    if (!next.ok()) return next.status();
    auto value = std::make_shared<const T>(*std::move(next));
    MutexLock lock(mu_);
    value_.swap(value);
    return absl::OkStatus();
  }

  const Clock& clock_;
  const std::vector<std::string> paths_;
  const Load load_;
  const Report report_;
  // Tick's own.
  int64_t looked_ms_;
  std::vector<FileStamp> seen_;    // at the last look
  std::vector<FileStamp> loaded_;  // when they were loaded, or tried to be
  mutable Mutex mu_;
  std::shared_ptr<const T> value_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::base

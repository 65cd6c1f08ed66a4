// Whether what one follower of a showtime was sent has no hole and comes in order: after revision n
// comes n + 1, or a snapshot that stands in place of all before. Pure; thread-compatible.
#pragma once

#include <cstdint>

namespace seatlock::cli::bench {

class StreamCheck {
 public:
  uint64_t revision() const { return revision_; }
  // Whether it was told where it stands.
  bool heard() const { return heard_; }
  uint64_t changes() const { return changes_; }
  // Revisions that were left out.
  uint64_t missing() const { return missing_; }
  // Changes and snapshots that came again, or late.
  uint64_t out_of_order() const { return out_of_order_; }
  // Snapshots after the first: it fell behind, or its history is not kept any more.
  uint64_t snapshots_again() const { return snapshots_again_; }

  // The stream said that all up to `revision` was sent.
  void At(uint64_t revision) {
    heard_ = true;
    if (revision > revision_) Miss(revision);
  }

  // `another` history: its revisions have nothing to do with those before.
  void Snapshot(uint64_t revision, bool another) {
    if (heard_) ++snapshots_again_;
    if (heard_ && !another && revision < revision_) ++out_of_order_;
    heard_ = true;
    more_ = false;
    revision_ = revision;
  }

  // A change, or one seat of a change that has `more`. A follower that was told nothing before
  // follows a showtime from its first change on. True if it is new.
  bool Change(uint64_t revision, bool more) {
    heard_ = true;
    const bool same = more_ && revision == revision_;
    if (!same && revision <= revision_) {
      ++out_of_order_;
      return false;
    }
    if (!same) {
      if (revision > revision_ + 1) Miss(revision - 1);
      ++changes_;
    }
    revision_ = revision;
    more_ = more;
    return !same;
  }

 private:
  void Miss(uint64_t until) {
    missing_ += until - revision_;
    revision_ = until;
  }

  uint64_t revision_ = 0;
  uint64_t changes_ = 0;
  uint64_t missing_ = 0;
  uint64_t out_of_order_ = 0;
  uint64_t snapshots_again_ = 0;
  bool heard_ = false;
  bool more_ = false;
};

}  // namespace seatlock::cli::bench

// Token buckets by whom they belong to, at most so many. Beyond that the one that was asked for
// longest ago is forgotten, and is full if it is asked for again. For each that comes, up to two of
// the oldest go earlier if they are full, which loses nothing; so full ones do not pile up.
//
// `Bucket` is a TokenBucket, or has one and says by Full(now_ms) when it may be forgotten.
// Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "common/base/token_bucket.h"

namespace seatlock::base {

template <typename Key, typename Bucket = TokenBucket>
class BucketTable {
 public:
  explicit BucketTable(size_t buckets_max) : buckets_max_(buckets_max) {}

  // The bucket of `key`, a new one if there is none. Valid until the next call.
  Bucket& Find(const Key& key, int64_t now_ms) {
    if (const auto found = places_.find(key); found != places_.end()) {
      buckets_.splice(buckets_.end(), buckets_, found->second);
      return found->second->second;
    }
    for (int i = 0; i < 2 && !buckets_.empty() && buckets_.front().second.Full(now_ms); ++i) {
      ForgetOldest();
    }
    if (buckets_.size() >= buckets_max_) ForgetOldest();
    buckets_.emplace_back(key, Bucket());
    places_.emplace(key, std::prev(buckets_.end()));
    return buckets_.back().second;
  }

  // The same if it is there, else null; does not count as asking for it.
  Bucket* Peek(const Key& key) {
    const auto found = places_.find(key);
    return found == places_.end() ? nullptr : &found->second->second;
  }

  size_t size() const { return buckets_.size(); }

 private:
  using Buckets = std::list<std::pair<Key, Bucket>>;

  void ForgetOldest() {
    places_.erase(buckets_.front().first);
    buckets_.pop_front();
  }

  const size_t buckets_max_;
  Buckets buckets_;  // by when each was last asked for, the oldest first
  absl::flat_hash_map<Key, typename Buckets::iterator> places_;
};

}  // namespace seatlock::base

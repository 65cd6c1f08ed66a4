// Rows that are found by their id, without keeping the id twice.
//
// Thread-compatible. Rows are named by a 32-bit number that stays theirs until they are erased, so
// that tables refer to each other's rows at 4 bytes. Row is default-constructible; its field kId
// is a base::StringId, which nobody changes while the row is in the table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"

namespace seatlock::domain {

using RowNumber = uint32_t;
inline constexpr RowNumber kNoRow = std::numeric_limits<RowNumber>::max();

// What a block of `bytes` costs on the heap: glibc's malloc adds 8 and rounds up to 16.
constexpr size_t BlockBytes(size_t bytes) {
  return bytes == 0 ? 0 : (bytes + 8 + 15) / 16 * 16;
}

// What a string costs beside itself: short ones lie within it.
inline size_t TextBytes(const std::string& text) {
  return text.size() < sizeof(std::string) / 2 ? 0 : BlockBytes(text.size() + 1);
}

template <typename Row, auto kId = &Row::id>
class IdTable {
 public:
  using Id = std::remove_reference_t<decltype(std::declval<Row>().*kId)>;

  IdTable() : index_(0, Hash{&rows_}, Equal{&rows_}) {}
  IdTable(const IdTable&) = delete;
  IdTable& operator=(const IdTable&) = delete;

  size_t size() const { return index_.size(); }

  const Row& operator[](RowNumber number) const { return rows_[number]; }
  // To be changed.
  Row& Mutable(RowNumber number) { return rows_[number]; }

  // kNoRow where there is none.
  RowNumber Find(const Id& id) const {
    auto it = index_.find(std::string_view(id.value()));
    return it == index_.end() ? kNoRow : *it;
  }

  // A new row where there is none: in the place of the one that was erased last, if there is one.
  RowNumber FindOrInsert(const Id& id) {
    RowNumber number = Find(id);
    if (number != kNoRow) return number;
    if (free_.empty()) {
      number = static_cast<RowNumber>(rows_.size());
      rows_.emplace_back();
    } else {
      number = free_.back();
      free_.pop_back();
    }
    rows_[number].*kId = id;
    id_bytes_ += TextBytes(id.value());
    index_.insert(number);
    return number;
  }

  void Erase(RowNumber number) {
    index_.erase(number);
    id_bytes_ -= TextBytes((rows_[number].*kId).value());
    rows_[number] = Row();
    free_.push_back(number);
  }

  // About what the table has of the heap; what rows have besides their ids is not in it. Rows that
  // were erased keep their place.
  size_t ApproximateBytes() const {
    // libstdc++'s deque: blocks of 512 bytes, and twice a pointer to each.
    constexpr size_t kRowsPerBlock = sizeof(Row) < 512 ? 512 / sizeof(Row) : 1;
    constexpr size_t kBlockBytes = BlockBytes(kRowsPerBlock * sizeof(Row)) + 2 * sizeof(void*);
    return (rows_.size() / kRowsPerBlock + 1) * kBlockBytes + id_bytes_ +
           BlockBytes(free_.capacity() * sizeof(RowNumber)) +
           index_.capacity() * (sizeof(RowNumber) + 1);
  }

  // The numbers of all rows, in no order.
  std::vector<RowNumber> Numbers() const { return {index_.begin(), index_.end()}; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view id) const {
      return absl::Hash<absl::string_view>()(absl::string_view(id.data(), id.size()));
    }
    size_t operator()(RowNumber number) const {
      return (*this)(std::string_view(((*rows)[number].*kId).value()));
    }
    const std::deque<Row>* rows;
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(RowNumber a, RowNumber b) const { return a == b; }
    bool operator()(RowNumber a, std::string_view id) const {
      return ((*rows)[a].*kId).value() == id;
    }
    bool operator()(std::string_view id, RowNumber a) const {
      return ((*rows)[a].*kId).value() == id;
    }
    const std::deque<Row>* rows;
  };

  std::deque<Row> rows_;
  size_t id_bytes_ = 0;
  std::vector<RowNumber> free_;
  absl::flat_hash_set<RowNumber, Hash, Equal> index_;
};

}  // namespace seatlock::domain

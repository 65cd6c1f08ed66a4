// The inside of Undo: what an Apply did to the tables, step by step. Thread-compatible.
//
// Tables notes a row's fields before it changes them, each row that comes or goes, and each entry
// of the ordered indexes that comes or goes. Revert goes through the steps backwards. The tables
// are then what they were row by row, down to the numbers of the rows: IdTable gives the row that
// was erased last out first. So nothing that anybody sees can differ, and there is no rule here
// about seats, requests or shares that could be forgotten.
//
// Orders are kept apart: an order's lists may be long, so only what the change did to them is kept.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/attributes.h"
#include "services/seatlock/domain/showtime_rows.h"

namespace seatlock::domain {

template <typename Row>
struct RowChanged {
  RowNumber number;
  typename Row::Fields before;
};
template <typename Row>
struct RowInserted {
  RowNumber number;
};
template <typename Row>
struct RowErased {
  RowNumber number;
  decltype(Row::id) id;
};
struct ExpiryStep {
  int64_t expire_ms;
  RowNumber number;
  bool added;  // else it was taken out
};
struct TakenStep {
  RowNumber number;
  bool added;
};

// What the change did to its order.
struct OrderStep {
  RowNumber number = kNoRow;  // kNoRow: the change names none
  bool inserted = false;
  bool closed = false;
  // Of an order that it did not close.
  std::vector<SeatId> booked{};  // ordered; came into the order's seats
  std::vector<SeatId> out{};     // ordered; went from its seats to the cancelled ones
  // Of an order that it closed: the lists as they were.
  std::vector<SeatId> seats{};
  std::vector<SeatId> cancelled{};
};

class UndoSteps {
 public:
  using Step = std::variant<RowChanged<SeatRow>, RowChanged<SessionRow>, RowChanged<RequestRow>,
                            RowInserted<SeatRow>, RowInserted<SessionRow>, RowInserted<RequestRow>,
                            RowErased<SeatRow>, RowErased<SessionRow>, RowErased<RequestRow>,
                            ExpiryStep, TakenStep>;

  // Of the tables at `tables` (Showtime::Tables), which have `head`, for a change of `seats` seats.
  UndoSteps(const void* tables, const Head& head, size_t seats) : tables_(tables), head_(head) {
    steps_.reserve(kStepsExpected + seats * kStepsPerSeatExpected);
  }

  // To be called before the fields of a row change. Notes them, unless it just did. None of these
  // is inlined: an Apply without undo is as small as it can be.
  template <typename Row>
  ABSL_ATTRIBUTE_NOINLINE void Change(RowNumber number, const Row& row) {
    if (!JustNoted<Row>(number)) steps_.emplace_back(RowChanged<Row>{number, row});
  }

  // To be called before a row is erased.
  template <typename Row>
  ABSL_ATTRIBUTE_NOINLINE void Erase(RowNumber number, const Row& row) {
    Change(number, row);
    steps_.emplace_back(RowErased<Row>{number, row.id});
  }

  template <typename Kind>
  ABSL_ATTRIBUTE_NOINLINE void Add(Kind step) {
    steps_.emplace_back(std::move(step));
  }

  const void* tables() const { return tables_; }
  const Head& head() const { return head_; }
  std::vector<Step>& steps() { return steps_; }
  OrderStep& order() { return order_; }

  // Which Apply this undoes (Head::made_by).
  uint64_t undoes = 0;

 private:
  // For a change that drops nothing; it may have more.
  static constexpr size_t kStepsExpected = 8;
  static constexpr size_t kStepsPerSeatExpected = 8;
  // One seat comes to the same few rows several times.
  static constexpr size_t kLookBack = 8;

  // Whether one of the last steps has what is needed to give the row its fields back: by having
  // them, or by taking the row away again.
  template <typename Row>
  bool JustNoted(RowNumber number) const {
    const auto end = steps_.rbegin() + static_cast<ptrdiff_t>(std::min(kLookBack, steps_.size()));
    return std::any_of(steps_.rbegin(), end, [&](const Step& step) {
      if (const auto* changed = std::get_if<RowChanged<Row>>(&step)) {
        return changed->number == number;
      }
      const auto* inserted = std::get_if<RowInserted<Row>>(&step);
      return inserted != nullptr && inserted->number == number;
    });
  }

  const void* const tables_;
  const Head head_;
  std::vector<Step> steps_;
  OrderStep order_;
};

}  // namespace seatlock::domain

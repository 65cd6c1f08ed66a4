// What a change does to its order's lists of seats, and how it is taken back.
#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "services/seatlock/domain/showtime_tables.h"

namespace seatlock::domain {
namespace {

// The seats that have `status` after `change`, ordered.
std::vector<SeatId> SeatsWith(SeatStatus status, const Change& change) {
  std::vector<SeatId> seats;
  seats.reserve(change.seats.size());
  for (const SeatAfter& after : change.seats) {
    if (after.status == status) seats.push_back(after.seat);
  }
  std::sort(seats.begin(), seats.end());
  return seats;
}

// Adds the ordered `added` to the ordered `seats`, moving each of these once at most.
void MergeInto(std::vector<SeatId>& seats, const std::vector<SeatId>& added) {
  if (added.empty()) return;
  const auto before = std::lower_bound(seats.begin(), seats.end(), added.front()) - seats.begin();
  const auto known = static_cast<ptrdiff_t>(seats.size());
  seats.insert(seats.end(), added.begin(), added.end());
  std::inplace_merge(seats.begin() + before, seats.begin() + known, seats.end());
  seats.erase(std::unique(seats.begin() + before, seats.end()), seats.end());
}

// Takes the ordered `gone` out of the ordered `seats`, moving each of these once at most.
void TakeOutOf(std::vector<SeatId>& seats, const std::vector<SeatId>& gone) {
  if (gone.empty()) return;
  std::erase_if(seats, [&](const SeatId& seat) {
    return std::binary_search(gone.begin(), gone.end(), seat);
  });
}

size_t IdBytes(const std::vector<SeatId>& seats) {
  size_t bytes = 0;
  for (const SeatId& seat : seats) bytes += TextBytes(seat.value());
  return bytes;
}

// What the order's lists have of the heap, but for the ids in them.
size_t ArrayBytes(const OrderEntry& order) {
  return BlockBytes(order.seats.capacity() * sizeof(SeatId)) +
         BlockBytes(order.cancelled.capacity() * sizeof(SeatId));
}

}  // namespace

RowNumber Showtime::Tables::FindOrInsertOrder(const OrderId& id) {
  const size_t known = orders.size();
  const RowNumber number = orders.FindOrInsert(id);
  if (undo != nullptr) {
    undo->order().number = number;
    undo->order().inserted = orders.size() > known;
  }
  return number;
}

void Showtime::Tables::FoldOrder(RowNumber number, const Change& change) {
  OrderEntry& order = orders.Mutable(number);
  if (change.order_closed) return Close(order);
  // A seat is booked only if it is not in the order, and cancelled only if it is; once cancelled it
  // never returns. So what is merged is new to the list, and Revert may take all of it out.
  std::vector<SeatId> booked = SeatsWith(SeatStatus::kBooked, change);
  std::vector<SeatId> out = SeatsWith(SeatStatus::kAvailable, change);
  order_list_bytes -= ArrayBytes(order);
  MergeInto(order.seats, booked);
  order_list_bytes += IdBytes(booked);
  TakeOutOf(order.seats, out);
  cancelled_seats -= order.cancelled.size();
  MergeInto(order.cancelled, out);
  cancelled_seats += order.cancelled.size();
  order_list_bytes += ArrayBytes(order);
  if (undo == nullptr) return;
  undo->order().booked = std::move(booked);
  undo->order().out = std::move(out);
}

void Showtime::Tables::CountLists(const OrderEntry& order) {
  order_list_bytes += ArrayBytes(order) + IdBytes(order.seats) + IdBytes(order.cancelled);
}

void Showtime::Tables::Close(OrderEntry& order) {
  order_list_bytes -= ArrayBytes(order) + IdBytes(order.seats) + IdBytes(order.cancelled);
  cancelled_seats -= order.cancelled.size();
  if (undo != nullptr) {
    undo->order().closed = true;
    undo->order().seats = std::move(order.seats);
    undo->order().cancelled = std::move(order.cancelled);
  }
  order.closed = true;
  // Not `= {}`, which keeps what the lists had of the heap.
  order.seats = std::vector<SeatId>();
  order.cancelled = std::vector<SeatId>();
}

// cancelled_seats is in Head.
void Showtime::Tables::RevertOrder(OrderStep& step) {
  if (step.number == kNoRow) return;
  OrderEntry& order = orders.Mutable(step.number);
  if (step.closed) {
    order.closed = false;
    order.seats = std::move(step.seats);
    order.cancelled = std::move(step.cancelled);
    CountLists(order);
  } else {
    order_list_bytes -= ArrayBytes(order) + IdBytes(step.booked);
    TakeOutOf(order.seats, step.booked);
    MergeInto(order.seats, step.out);
    TakeOutOf(order.cancelled, step.out);
    order_list_bytes += ArrayBytes(order);
  }
  if (!step.inserted) return;
  order_list_bytes -= ArrayBytes(order);
  orders.Erase(step.number);
}

}  // namespace seatlock::domain

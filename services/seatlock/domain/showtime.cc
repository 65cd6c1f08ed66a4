#include "services/seatlock/domain/showtime.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "services/seatlock/domain/limits.h"
#include "services/seatlock/domain/showtime_tables.h"

namespace seatlock::domain {
namespace {

[[noreturn]] void Die(const absl::Status& why) {
  std::fprintf(stderr, "Showtime: %s\n", why.ToString().c_str());
  std::abort();
}

}  // namespace

bool IsForgotten(const SeatView& seat, int64_t now_ms) {
  return seat.status == SeatStatus::kAvailable && now_ms > seat.freed_ms + kGrantMemoryMs;
}

bool IsForgotten(const RequestEntry& request, int64_t now_ms) {
  return IsRequestForgotten(request.commit_ms, now_ms);
}

bool IsForgotten(const ShareEntry& share, int64_t now_ms) {
  return IsShareForgotten(share.since_ms, now_ms);
}

Showtime::Showtime() : tables_(std::make_unique<Tables>()) {}
Showtime::Showtime(std::unique_ptr<Tables> tables) : tables_(std::move(tables)) {}
Showtime::~Showtime() = default;
Showtime::Showtime(Showtime&&) noexcept = default;
Showtime& Showtime::operator=(Showtime&&) noexcept = default;

void Showtime::Apply(const Change& change) {
  if (absl::Status fits = tables_->CheckFollows(change); !fits.ok()) Die(fits);
  tables_->Fold(change);
}

Undo Showtime::ApplyUndoable(const Change& change) {
  if (absl::Status fits = tables_->CheckFollows(change); !fits.ok()) Die(fits);
  auto steps = std::make_unique<UndoSteps>(tables_.get(), *tables_, change.seats.size());
  tables_->undo = steps.get();
  tables_->Fold(change);
  tables_->undo = nullptr;
  steps->undoes = tables_->made_by;
  return Undo(std::move(steps));
}

void Showtime::Revert(Undo undo) {
  if (undo.steps_ == nullptr || undo.steps_->tables() != tables_.get() ||
      undo.steps_->undoes != tables_->made_by) {
    Die(absl::InternalError("to be reverted, but not the change that was applied last"));
  }
  tables_->Revert(*undo.steps_);
}

absl::Status Showtime::TryApply(const Change& change) {
  absl::Status fits = Check(change);
  if (fits.ok()) tables_->Fold(change);
  return fits;
}

absl::Status Showtime::Tables::CheckFollows(const Change& change) const {
  if (change.revision != revision.Next())
    return Misfit(change, revision, "its revision is not the next");
  if (change.commit_ms < commit_ms)
    return Misfit(change, revision, "its commit time runs backwards");
  if (change.request) {
    const RowNumber made = requests.Find(change.request->id);
    if (made != kNoRow && !IsRequestForgotten(requests[made].commit_ms, change.commit_ms)) {
      return Misfit(change, revision, "its request_id was made already");
    }
  }
  return absl::OkStatus();
}

void Showtime::Tables::Fold(const Change& change) {
  Tables& t = *this;
  t.Forget(change.commit_ms, ForgottenPerChange(change.seats.size()));

  RowNumber order = kNoRow;
  if (!change.order.empty()) order = t.FindOrInsertOrder(change.order);
  uint32_t unseen_seats = 0;
  for (const SeatAfter& after : change.seats) {
    if (t.ApplySeat(after, change, order)) ++unseen_seats;
  }
  t.CountShare(change, unseen_seats);
  if (change.cause == Cause::kClose) t.closed = true;
  if (change.cause == Cause::kReopen) t.closed = false;
  if (order != kNoRow) t.FoldOrder(order, change);

  if (change.request) t.Remember(*change.request, change.revision, change.commit_ms);
  t.revision = change.revision;
  t.commit_ms = change.commit_ms;
  t.made_by = ++t.applies;
}

size_t Showtime::Tables::ApproximateBytes() const {
  // The sets' nodes are about two thirds full.
  constexpr size_t kExpiryBytes = sizeof(decltype(expiry)::value_type) * 3 / 2;
  constexpr size_t kTakenBytes = sizeof(RowNumber) * 3 / 2;
  return sizeof(Tables) + seats.ApproximateBytes() + sessions.ApproximateBytes() +
         orders.ApproximateBytes() + requests.ApproximateBytes() + order_list_bytes +
         expiry.size() * kExpiryBytes + taken.size() * kTakenBytes;
}

bool Showtime::Tables::ApplySeat(const SeatAfter& after, const Change& change, RowNumber order) {
  const size_t known = seats.size();
  const RowNumber number = Insert(seats, after.seat);
  const bool forgotten = seats.size() == known && IsForgotten(View(number), change.commit_ms);
  const bool unseen = seats.size() > known || forgotten;
  // A seat that stays taken keeps its place in the index.
  const bool was_taken = seats[number].status != SeatStatus::kAvailable;
  const bool is_taken = after.status != SeatStatus::kAvailable;
  if (was_taken && !is_taken) EraseTaken(number);
  if (!was_taken && is_taken) AddTaken(number);
  Leave(number);
  if (forgotten) DropGrants(number);
  switch (after.status) {
    case SeatStatus::kLocked:
      // A lock that was extended keeps the fence of its grant.
      if (after.fence.value() == change.revision.value()) {
        Grant(number, after.session, after.fence, change.commit_ms);
      }
      EnterLocked(number, after.session, after.expire_ms);
      return unseen;
    case SeatStatus::kBooked:
      EnterBooked(number, after.session, order);
      return false;
    case SeatStatus::kBlocked:
      EnterBlocked(number);
      return false;
    case SeatStatus::kAvailable:
      EnterFree(number, change.commit_ms);
      return false;
  }
  return false;
}

Revision Showtime::revision() const {
  return tables_->revision;
}

int64_t Showtime::commit_ms() const {
  return tables_->commit_ms;
}

bool Showtime::closed() const {
  return tables_->closed;
}

std::optional<SeatView> Showtime::FindSeat(const SeatId& seat) const {
  RowNumber number = tables_->seats.Find(seat);
  if (number == kNoRow) return std::nullopt;
  return tables_->View(number);
}

std::vector<SeatId> Showtime::HeldBy(const SessionId& session) const {
  std::vector<SeatId> held;
  RowNumber number = tables_->sessions.Find(session);
  if (number == kNoRow) return held;
  const SessionRow& row = tables_->sessions[number];
  held.reserve(row.held_count);
  for (RowNumber seat = row.held.first; seat != kNoRow; seat = tables_->seats[seat].next) {
    held.push_back(tables_->seats[seat].id);
  }
  std::sort(held.begin(), held.end());
  return held;
}

size_t Showtime::HeldCount(const SessionId& session) const {
  RowNumber number = tables_->sessions.Find(session);
  return number == kNoRow ? 0 : tables_->sessions[number].held_count;
}

const OrderEntry* Showtime::FindOrder(const OrderId& order) const {
  RowNumber number = tables_->orders.Find(order);
  return number == kNoRow ? nullptr : &tables_->orders[number];
}

std::optional<RequestEntry> Showtime::FindRequest(const RequestId& request) const {
  RowNumber number = tables_->requests.Find(request);
  if (number == kNoRow) return std::nullopt;
  return tables_->Entry(number);
}

ShareEntry Showtime::ShareOf(const SessionId& session, int64_t now_ms) const {
  const RowNumber number = tables_->sessions.Find(session);
  if (number == kNoRow) return {};
  const SessionRow& row = tables_->sessions[number];
  if (row.share_since_ms < 0 || IsShareForgotten(row.share_since_ms, now_ms)) return {};
  return {session, row.share_since_ms, row.unseen_seats, row.requests};
}

std::optional<int64_t> Showtime::earliest_expire_ms() const {
  if (tables_->expiry.empty()) return std::nullopt;
  return tables_->expiry.begin()->first;
}

std::vector<SeatId> Showtime::LapsedAt(int64_t now_ms, size_t max) const {
  // Seats that lapse at one time lie in the order of their rows: all of them are taken before any
  // are left out, so that the choice depends on the state alone.
  std::vector<std::pair<int64_t, RowNumber>> lapsed;
  for (const auto& entry : tables_->expiry) {
    if (entry.first > now_ms) break;
    if (lapsed.size() >= max && (max == 0 || entry.first != lapsed.back().first)) break;
    lapsed.push_back(entry);
  }
  std::sort(lapsed.begin(), lapsed.end(), [this](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : tables_->SeatBefore(a.second, b.second);
  });
  if (lapsed.size() > max) lapsed.resize(max);
  std::vector<SeatId> seats;
  seats.reserve(lapsed.size());
  for (const auto& [expire_ms, number] : lapsed) seats.push_back(tables_->seats[number].id);
  return seats;
}

std::vector<SeatView> Showtime::TakenFrom(const SeatId& first, size_t max) const {
  std::vector<SeatView> views;
  for (auto at = tables_->taken.lower_bound(first);
       at != tables_->taken.end() && views.size() < max; ++at) {
    views.push_back(tables_->View(*at));
  }
  return views;
}

SeatCounts Showtime::CountsAt(int64_t now_ms) const {
  const Tables& t = *tables_;
  size_t lapsed = 0;
  for (const auto& [expire_ms, number] : t.expiry) {
    if (expire_ms > now_ms) break;
    ++lapsed;
  }
  return {.locked = t.expiry.size() - lapsed,
          .booked = t.taken.size() - t.expiry.size() - t.blocked_seats,
          .blocked = t.blocked_seats};
}

size_t Showtime::seat_count() const {
  return tables_->seats.size();
}

size_t Showtime::order_count() const {
  return tables_->orders.size();
}

size_t Showtime::cancelled_seat_count() const {
  return tables_->cancelled_seats;
}

size_t Showtime::request_count() const {
  return tables_->requests.size();
}

size_t Showtime::ApproximateBytes() const {
  return tables_->ApproximateBytes();
}

size_t Showtime::ForgottenSeatsAt(int64_t now_ms, size_t max) const {
  size_t count = 0;
  for (RowNumber number = tables_->freed.first; number != kNoRow && count < max; ++count) {
    if (!IsForgotten(tables_->View(number), now_ms)) break;
    number = tables_->seats[number].next;
  }
  return count;
}

size_t Showtime::ForgottenRequestsAt(int64_t now_ms, size_t max) const {
  size_t count = 0;
  for (RowNumber number = tables_->oldest_request; number != kNoRow && count < max; ++count) {
    const RequestRow& row = tables_->requests[number];
    if (!IsRequestForgotten(row.commit_ms, now_ms)) break;
    number = row.next;
  }
  return count;
}

}  // namespace seatlock::domain

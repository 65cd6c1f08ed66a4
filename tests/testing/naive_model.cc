#include "tests/testing/naive_model.h"

#include <algorithm>
#include <iterator>

namespace seatlock::domain::testing {
namespace {

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kTenMinutesMs = 600'000;
constexpr uint32_t kUnseenSeatsAnHour = 1'000;
constexpr uint32_t kRequestsAnHour = 10'000;
constexpr uint32_t kSeatsAnOrder = 2'000;

std::vector<std::string> Names(const std::vector<SeatId>& seats) {
  std::vector<std::string> names;
  for (const SeatId& seat : seats) {
    if (std::find(names.begin(), names.end(), seat.value()) == names.end()) {
      names.push_back(seat.value());
    }
  }
  return names;
}

// The refusal for seats in the way: of all reasons the first in the contract's table.
Outcome Refused(std::set<std::tuple<std::string, SeatStatus, Reason>> conflicts) {
  Outcome outcome;
  for (Reason reason :
       {Reason::kOrderMismatch, Reason::kSeatTaken, Reason::kNotLockHolder, Reason::kStaleFence}) {
    for (const auto& conflict : conflicts) {
      if (std::get<Reason>(conflict) == reason && !outcome.refused) outcome.refused = reason;
    }
  }
  outcome.conflicts = std::move(conflicts);
  return outcome;
}

Outcome Refused(Reason reason) {
  Outcome outcome;
  outcome.refused = reason;
  return outcome;
}

template <typename Map>
void CopyEntry(const Map& from, const std::string& key, Map& to) {
  if (auto it = from.find(key); it != from.end()) to.insert(*it);
}

// Whose share `command` takes from, nullptr for nobody's.
const std::string* Sharer(const Command& command) {
  if (auto* lock = std::get_if<LockSeats>(&command.body)) return &lock->session.value();
  if (auto* extend = std::get_if<ExtendLocks>(&command.body)) return &extend->session.value();
  return nullptr;
}

}  // namespace

Outcome NaiveModel::Do(const Command& command, int64_t now_ms) {
  now_ms_ = now_ms;
  first_ms_ = std::min(first_ms_, now_ms);
  Forget(now_ms);
  const std::string body = Describe(Command{.body = command.body});
  if (command.request_id) {
    auto made = requests_.find(command.request_id->value());
    if (made != requests_.end()) {
      if (made->second.body != body) return Refused(Reason::kRequestIdReused);
      Outcome again = made->second.answer;
      again.changed = false;
      again.replayed = true;
      again.cause.reset();
      again.after.clear();
      return again;
    }
  }
  if (IsShareUsedUp(command)) {
    NaiveModel copy = *this;
    const Outcome outcome = copy.DoBody(command);
    const bool nothing = !outcome.refused && !outcome.changed;
    return nothing ? outcome : Refused(Reason::kOverloaded);
  }
  const uint32_t unseen = Unseen(command);
  Outcome outcome = DoBody(command);
  if (outcome.changed) {
    revision_ = outcome.revision;
    if (command.request_id) requests_[command.request_id->value()] = {body, now_ms, outcome};
    Spend(command, unseen);
  }
  return outcome;
}

Outcome NaiveModel::WouldDo(const Command& command, int64_t now_ms) const {
  NaiveModel part(max_session_seats_, max_lock_age_ms_);
  part.first_ms_ = first_ms_;
  part.revision_ = revision_;
  part.closed_ = closed_;
  part.seats_ = seats_;
  if (command.request_id) CopyEntry(requests_, command.request_id->value(), part.requests_);
  if (const std::string* session = Sharer(command)) CopyEntry(shares_, *session, part.shares_);
  if (auto* cancel = std::get_if<CancelBooking>(&command.body)) {
    CopyEntry(orders_, cancel->order.value(), part.orders_);
  }
  if (auto* book = std::get_if<BookSeats>(&command.body)) {
    CopyEntry(orders_, book->order.value(), part.orders_);
    for (const auto& [seat, fence] : book->fences) {
      std::copy_if(grants_.begin(), grants_.end(), std::back_inserter(part.grants_),
                   [&](const Grant& grant) { return grant.seat == seat.value(); });
    }
  }
  return part.Do(command, now_ms);
}

Outcome NaiveModel::DoBody(const Command& command) {
  Outcome outcome;
  if (auto* lock = std::get_if<LockSeats>(&command.body)) outcome = Lock(*lock);
  if (auto* unlock = std::get_if<UnlockSeats>(&command.body)) outcome = Unlock(*unlock);
  if (auto* extend = std::get_if<ExtendLocks>(&command.body)) outcome = Extend(*extend);
  if (auto* book = std::get_if<BookSeats>(&command.body)) outcome = Book(*book);
  if (auto* cancel = std::get_if<CancelBooking>(&command.body)) outcome = Cancel(*cancel);
  if (std::holds_alternative<ExpireLocks>(command.body)) outcome = Expire();
  if (auto* block = std::get_if<BlockSeats>(&command.body)) outcome = Block(*block);
  if (auto* unblock = std::get_if<UnblockSeats>(&command.body)) outcome = Unblock(*unblock);
  if (auto* release = std::get_if<ReleaseSeats>(&command.body)) outcome = Release(*release);
  if (auto* close = std::get_if<CloseShowtime>(&command.body)) outcome = Close(*close);
  return outcome;
}

uint32_t NaiveModel::Unseen(const Command& command) const {
  const auto* lock = std::get_if<LockSeats>(&command.body);
  if (lock == nullptr) return 0;
  const std::vector<std::string> names = Names(lock->seats);
  return static_cast<uint32_t>(std::count_if(
      names.begin(), names.end(), [this](const auto& name) { return !seats_.contains(name); }));
}

bool NaiveModel::IsShareUsedUp(const Command& command) const {
  const std::string* session = Sharer(command);
  if (session == nullptr) return false;
  Share used;
  if (auto it = shares_.find(*session); it != shares_.end()) used = it->second;
  const uint32_t unseen = Unseen(command);
  return (unseen > 0 && used.unseen_seats + unseen > kUnseenSeatsAnHour) ||
         (command.request_id && used.requests + 1 > kRequestsAnHour);
}

void NaiveModel::Spend(const Command& command, uint32_t unseen_seats) {
  const std::string* session = Sharer(command);
  if (session == nullptr || (unseen_seats == 0 && !command.request_id)) return;
  if (!shares_.contains(*session)) shares_[*session] = {.since_ms = now_ms_};
  shares_[*session].unseen_seats += unseen_seats;
  shares_[*session].requests += command.request_id ? 1 : 0;
}

void NaiveModel::Forget(int64_t now_ms) {
  if (now_ms - first_ms_ <= kHourMs) return;  // nothing here can be old enough
  for (auto it = seats_.begin(); it != seats_.end();) {
    const bool old =
        it->second.status == SeatStatus::kAvailable && now_ms - it->second.freed_ms > kHourMs;
    if (!old) {
      ++it;
      continue;
    }
    std::erase_if(grants_, [&](const Grant& grant) { return grant.seat == it->first; });
    it = seats_.erase(it);
  }
  std::erase_if(requests_,
                [&](const auto& made) { return now_ms - made.second.commit_ms > kHourMs; });
  std::erase_if(shares_,
                [&](const auto& share) { return now_ms - share.second.since_ms > kHourMs; });
}

bool NaiveModel::Holds(const std::string& session, const std::string& seat) const {
  auto it = seats_.find(seat);
  return it != seats_.end() && it->second.status == SeatStatus::kLocked &&
         it->second.session == session;
}

std::vector<std::string> NaiveModel::HeldBy(const std::string& session) const {
  std::vector<std::string> held;
  for (const auto& [name, seat] : seats_) {
    if (Holds(session, name)) held.push_back(name);
  }
  return held;
}

void NaiveModel::Free(const std::string& seat) {
  const bool granted = std::any_of(grants_.begin(), grants_.end(),
                                   [&](const Grant& grant) { return grant.seat == seat; });
  if (granted) {
    seats_[seat] = Seat{.freed_ms = now_ms_};
  } else {
    seats_.erase(seat);
  }
}

Outcome NaiveModel::Changed(Cause cause) const {
  Outcome outcome;
  outcome.changed = true;
  outcome.revision = revision_ + 1;
  outcome.cause = cause;
  return outcome;
}

Outcome NaiveModel::NoChange() const {
  Outcome outcome;
  outcome.revision = revision_;
  return outcome;
}

void NaiveModel::AddLocks(Outcome& outcome, const std::vector<std::string>& seats) const {
  for (const std::string& name : seats) {
    const Seat& seat = seats_.at(name);
    outcome.locks.emplace_back(name, seat.session, seat.expire_ms, seat.fence);
  }
}

Outcome NaiveModel::Lock(const LockSeats& c) {
  const std::string& session = c.session.value();
  const std::vector<std::string> wanted = Names(c.seats);
  std::vector<std::string> grants;
  std::set<std::tuple<std::string, SeatStatus, Reason>> conflicts;
  for (const std::string& name : wanted) {
    const SeatStatus status = seats_.contains(name) ? seats_[name].status : SeatStatus::kAvailable;
    if (status == SeatStatus::kAvailable) {
      grants.push_back(name);
    } else if (!Holds(session, name)) {
      conflicts.emplace(name, status, Reason::kSeatTaken);
    }
  }
  if (!conflicts.empty()) return Refused(conflicts);

  std::vector<std::string> released;
  for (const std::string& name : Names(c.release)) {
    if (Holds(session, name)) released.push_back(name);
  }
  if (closed_ && !grants.empty()) return Refused(Reason::kShowtimeClosed);
  uint32_t limit = max_session_seats_;
  if (c.max_session_seats != 0 && c.max_session_seats < limit) limit = c.max_session_seats;
  const size_t held = HeldBy(session).size();
  if (!grants.empty() && held + grants.size() > limit + released.size()) {
    Outcome outcome = Refused(Reason::kSessionSeatLimit);
    outcome.limit = limit;
    outcome.held = static_cast<uint32_t>(held);
    return outcome;
  }
  Outcome outcome = NoChange();
  if (!grants.empty() || !released.empty()) {
    outcome = Changed(released.empty() ? Cause::kLock : Cause::kSwap);
  }
  const int64_t ttl_ms = std::min(c.ttl_ms ? *c.ttl_ms : kTenMinutesMs, max_lock_age_ms_);
  for (const std::string& name : grants) {
    seats_[name] = Seat{.status = SeatStatus::kLocked,
                        .session = session,
                        .expire_ms = now_ms_ + ttl_ms,
                        .granted_ms = now_ms_,
                        .fence = outcome.revision};
    grants_.push_back({name, session, outcome.revision});
    outcome.after[name] = {SeatStatus::kLocked, session, now_ms_ + ttl_ms, ""};
  }
  for (const std::string& name : released) {
    Free(name);
    outcome.after[name] = {SeatStatus::kAvailable, session, 0, ""};
  }
  AddLocks(outcome, wanted);
  return outcome;
}

Outcome NaiveModel::Unlock(const UnlockSeats& c) {
  const std::string& session = c.session.value();
  std::vector<std::string> freed;
  std::set<std::tuple<std::string, SeatStatus, Reason>> conflicts;
  for (const std::string& name : c.all ? HeldBy(session) : Names(c.seats)) {
    if (Holds(session, name)) {
      freed.push_back(name);
    } else if (seats_.contains(name) && seats_[name].status != SeatStatus::kAvailable) {
      conflicts.emplace(name, seats_[name].status, Reason::kNotLockHolder);
    }
  }
  if (!conflicts.empty()) return Refused(conflicts);
  if (freed.empty()) return NoChange();
  Outcome outcome = Changed(Cause::kUnlock);
  for (const std::string& name : freed) {
    Free(name);
    outcome.after[name] = {SeatStatus::kAvailable, session, 0, ""};
  }
  return outcome;
}

Outcome NaiveModel::Extend(const ExtendLocks& c) {
  const std::string& session = c.session.value();
  const std::vector<std::string> named = c.all ? HeldBy(session) : Names(c.seats);
  std::set<std::tuple<std::string, SeatStatus, Reason>> conflicts;
  for (const std::string& name : named) {
    if (Holds(session, name)) continue;
    const SeatStatus status = seats_.contains(name) ? seats_[name].status : SeatStatus::kAvailable;
    conflicts.emplace(name, status, Reason::kNotLockHolder);
  }
  if (!conflicts.empty()) return Refused(conflicts);
  if (closed_) return Refused(Reason::kShowtimeClosed);
  const int64_t ttl_ms = c.ttl_ms ? *c.ttl_ms : kTenMinutesMs;
  std::map<std::string, int64_t> moved;
  std::set<int64_t> too_far;
  for (const std::string& name : named) {
    const Seat& seat = seats_[name];
    const int64_t target = std::max(seat.expire_ms, now_ms_ + ttl_ms);
    if (target == seat.expire_ms) continue;
    moved[name] = target;
    const int64_t end_of_age = seat.granted_ms + max_lock_age_ms_;
    if (target > end_of_age) too_far.insert(end_of_age);
  }
  if (!too_far.empty()) {
    Outcome outcome = Refused(Reason::kExtendLimit);
    outcome.max_expire_ms = *too_far.begin();
    return outcome;
  }
  Outcome outcome = moved.empty() ? NoChange() : Changed(Cause::kExtend);
  for (const auto& [name, target] : moved) {
    seats_[name].expire_ms = target;
    outcome.after[name] = {SeatStatus::kLocked, session, target, ""};
  }
  AddLocks(outcome, named);
  return outcome;
}

Outcome NaiveModel::Book(const BookSeats& c) {
  const std::vector<std::string> named = Names(c.seats);
  std::set<std::string> wanted(named.begin(), named.end());
  auto known = orders_.find(c.order.value());
  if (known == orders_.end()) {
    if (named.empty()) {
      const std::vector<std::string> held = HeldBy(c.session.value());
      if (held.empty()) return Refused(Reason::kNothingHeld);
      wanted = {held.begin(), held.end()};
    }
    return BookThese(c, wanted);
  }
  const Order& order = known->second;
  if (order.closed) return Refused(Reason::kOrderCancelled);
  Outcome standing = NoChange();
  standing.order_seats = {order.seats.begin(), order.seats.end()};
  std::set<std::string> ever = order.seats;
  ever.insert(order.cancelled.begin(), order.cancelled.end());
  if (wanted.empty() || wanted == order.seats || wanted == ever) return standing;
  if (!c.add_to_order) return Refused(Reason::kOrderMismatch);
  std::set<std::string> added;
  std::set_difference(wanted.begin(), wanted.end(), ever.begin(), ever.end(),
                      std::inserter(added, added.end()));
  if (added.empty()) return standing;
  std::set<std::tuple<std::string, SeatStatus, Reason>> gone;
  for (const std::string& name : wanted) {
    if (!order.cancelled.contains(name)) continue;
    const SeatStatus status = seats_.contains(name) ? seats_[name].status : SeatStatus::kAvailable;
    gone.insert({name, status, Reason::kOrderMismatch});
  }
  if (!gone.empty()) return Refused(gone);
  return BookThese(c, added);
}

Outcome NaiveModel::BookThese(const BookSeats& c, const std::set<std::string>& wanted) {
  const std::string& session = c.session.value();
  std::set<std::tuple<std::string, SeatStatus, Reason>> conflicts;
  for (const std::string& name : wanted) {
    const SeatStatus status = seats_.contains(name) ? seats_[name].status : SeatStatus::kAvailable;
    if (status != SeatStatus::kAvailable && !Holds(session, name)) {
      conflicts.emplace(name, status, Reason::kSeatTaken);
      continue;
    }
    if (c.only_held && !Holds(session, name)) {
      conflicts.emplace(name, status, Reason::kNotLockHolder);
      continue;
    }
    for (const auto& given : c.fences) {
      const bool stale = std::any_of(grants_.begin(), grants_.end(), [&](const Grant& grant) {
        return given.first.value() == name && grant.seat == name && grant.session != session &&
               grant.fence > given.second.value();
      });
      if (stale) conflicts.emplace(name, status, Reason::kStaleFence);
    }
  }
  if (!conflicts.empty()) return Refused(conflicts);
  for (const std::string& name : wanted) {
    if (closed_ && !Holds(session, name)) return Refused(Reason::kShowtimeClosed);
  }
  size_t had = 0;
  if (auto known = orders_.find(c.order.value()); known != orders_.end()) {
    had = known->second.seats.size();
  }
  if (had + wanted.size() > kSeatsAnOrder) {
    Outcome outcome = Refused(Reason::kOrderSeatLimit);
    outcome.limit = kSeatsAnOrder;
    outcome.held = static_cast<uint32_t>(had);
    return outcome;
  }
  size_t ever = had;
  if (auto known = orders_.find(c.order.value()); known != orders_.end()) {
    ever += known->second.cancelled.size();
  }
  if (ever + wanted.size() > 2 * kSeatsAnOrder) {
    Outcome outcome = Refused(Reason::kOrderSeatLimit);
    outcome.limit = 2 * kSeatsAnOrder;
    outcome.held = static_cast<uint32_t>(ever);
    return outcome;
  }
  Outcome outcome = Changed(Cause::kBook);
  Order& order = orders_[c.order.value()];
  for (const std::string& name : wanted) {
    seats_[name] =
        Seat{.status = SeatStatus::kBooked, .session = session, .order = c.order.value()};
    order.seats.insert(name);
    outcome.after[name] = {SeatStatus::kBooked, session, 0, c.order.value()};
  }
  outcome.order_seats = {order.seats.begin(), order.seats.end()};
  return outcome;
}

Outcome NaiveModel::Cancel(const CancelBooking& c) {
  if (!orders_.contains(c.order.value())) {
    if (!c.tombstone) return Refused(Reason::kUnknownOrder);
    orders_[c.order.value()].closed = true;
    return Changed(Cause::kCancel);
  }
  Order& order = orders_[c.order.value()];
  if (order.closed) return NoChange();
  std::vector<std::string> named = Names(c.seats);
  if (c.all) named = {order.seats.begin(), order.seats.end()};
  std::set<std::tuple<std::string, SeatStatus, Reason>> conflicts;
  std::vector<std::string> freed;
  for (const std::string& name : named) {
    if (order.seats.contains(name)) {
      freed.push_back(name);
    } else if (!order.cancelled.contains(name)) {
      const SeatStatus status =
          seats_.contains(name) ? seats_[name].status : SeatStatus::kAvailable;
      conflicts.emplace(name, status, Reason::kOrderMismatch);
    }
  }
  if (!conflicts.empty()) return Refused(conflicts);
  if (freed.empty()) return NoChange();
  Outcome outcome = Changed(Cause::kCancel);
  for (const std::string& name : freed) {
    outcome.after[name] = {SeatStatus::kAvailable, seats_[name].session, 0, c.order.value()};
    order.seats.erase(name);
    order.cancelled.insert(name);
    Free(name);
  }
  order.closed = order.seats.empty();
  return outcome;
}

Outcome NaiveModel::Expire() {
  Outcome outcome = Changed(Cause::kExpired);
  for (const auto& [name, seat] : std::map<std::string, Seat>(seats_)) {
    if (seat.status != SeatStatus::kLocked || seat.expire_ms > now_ms_) continue;
    outcome.after[name] = {SeatStatus::kAvailable, seat.session, 0, ""};
    Free(name);
  }
  return outcome.after.empty() ? NoChange() : outcome;
}

Outcome NaiveModel::Block(const BlockSeats& c) {
  std::set<std::tuple<std::string, SeatStatus, Reason>> conflicts;
  Outcome outcome = Changed(Cause::kBlock);
  for (const std::string& name : Names(c.seats)) {
    const Seat seat = seats_.contains(name) ? seats_[name] : Seat{};
    const bool locked = seat.status == SeatStatus::kLocked;
    if (seat.status == SeatStatus::kBooked || (locked && !c.release_locks)) {
      conflicts.emplace(name, seat.status, Reason::kSeatTaken);
    }
    if (seat.status == SeatStatus::kBlocked) continue;
    outcome.after[name] = {SeatStatus::kBlocked, locked ? seat.session : "", 0, ""};
  }
  if (!conflicts.empty()) return Refused(conflicts);
  if (outcome.after.empty()) return NoChange();
  for (const auto& [name, after] : outcome.after) seats_[name] = {.status = SeatStatus::kBlocked};
  return outcome;
}

Outcome NaiveModel::Unblock(const UnblockSeats& c) {
  Outcome outcome = Changed(Cause::kUnblock);
  for (const std::string& name : Names(c.seats)) {
    if (!seats_.contains(name) || seats_[name].status != SeatStatus::kBlocked) continue;
    outcome.after[name] = {SeatStatus::kAvailable, "", 0, ""};
    Free(name);
  }
  return outcome.after.empty() ? NoChange() : outcome;
}

Outcome NaiveModel::Release(const ReleaseSeats& c) {
  const bool by_session = !c.session.value().empty();
  Outcome outcome = Changed(Cause::kRelease);
  for (const std::string& name : by_session ? HeldBy(c.session.value()) : Names(c.seats)) {
    if (!seats_.contains(name) || seats_[name].status != SeatStatus::kLocked) continue;
    outcome.after[name] = {SeatStatus::kAvailable, seats_[name].session, 0, ""};
    Free(name);
  }
  for (const auto& [name, after] : outcome.after) outcome.released.push_back(name);
  return outcome.after.empty() ? NoChange() : outcome;
}

Outcome NaiveModel::Close(const CloseShowtime& c) {
  if (closed_ == !c.reopen) return NoChange();
  closed_ = !c.reopen;
  return Changed(c.reopen ? Cause::kReopen : Cause::kClose);
}

}  // namespace seatlock::domain::testing

#include "services/seatlock/engine/waiting_commands.h"

#include <algorithm>
#include <iterator>
#include <variant>

namespace seatlock::engine {
namespace {

// Of a command that locks; null for another.
const domain::SessionId* SessionOf(const domain::Command& command) {
  return std::visit(
      [](const auto& body) -> const domain::SessionId* {
        if constexpr (requires { body.session; }) return &body.session;
        return nullptr;
      },
      command.body);
}

void MoveToBack(std::deque<Work>& to, std::deque<Work>::iterator from,
                std::deque<Work>::iterator end) {
  to.insert(to.end(), std::make_move_iterator(from), std::make_move_iterator(end));
}

}  // namespace

void WaitingCommands::Push(Work work) {
  if (LaneOf(work.command) == Lane::kLocking) return locking_.push_back(std::move(work));
  // Looks through all that wait, kPendingPerShowtimeMax at most: an index would cost every lock.
  if (const auto* book = std::get_if<domain::BookSeats>(&work.command.body)) {
    const auto is_others = [book](const Work& each) {
      const domain::SessionId* session = SessionOf(each.command);
      return session == nullptr || *session != book->session;
    };
    if (!std::all_of(locking_.begin(), locking_.end(), is_others)) {
      const auto own = std::stable_partition(locking_.begin(), locking_.end(), is_others);
      MoveToBack(selling_, own, locking_.end());
      locking_.erase(own, locking_.end());
    }
  }
  selling_.push_back(std::move(work));
}

std::deque<Work>& WaitingCommands::Next(bool locking_first) {
  if (!put_back_.empty()) return put_back_;
  const bool locking = selling_.empty() || (locking_first && !locking_.empty());
  return locking ? locking_ : selling_;
}

Work WaitingCommands::Pop(bool locking_first) {
  std::deque<Work>& next = Next(locking_first);
  Work work = std::move(next.front());
  next.pop_front();
  return work;
}

std::deque<Work> WaitingCommands::TakeAll() {
  std::deque<Work> all = std::exchange(put_back_, {});
  MoveToBack(all, selling_.begin(), selling_.end());
  MoveToBack(all, locking_.begin(), locking_.end());
  selling_.clear();
  locking_.clear();
  return all;
}

}  // namespace seatlock::engine

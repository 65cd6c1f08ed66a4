#include "services/seatlock/domain/undo.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "services/seatlock/domain/showtime_tables.h"
#include "services/seatlock/domain/undo_steps.h"

namespace seatlock::domain {
namespace {

template <typename Row>
void Back(IdTable<Row>& table, const RowChanged<Row>& step) {
  static_cast<typename Row::Fields&>(table.Mutable(step.number)) = step.before;
}

template <typename Row>
void Back(IdTable<Row>& table, const RowInserted<Row>& step) {
  table.Erase(step.number);
}

template <typename Row>
void Back(IdTable<Row>& table, const RowErased<Row>& step) {
  if (table.FindOrInsert(step.id) == step.number) return;
  std::fprintf(stderr, "Showtime::Revert: a row did not get its number back\n");
  std::abort();
}

template <typename Index, typename Entry>
void Back(Index& index, const Entry& entry, bool added) {
  if (added) {
    index.erase(entry);
  } else {
    index.insert(entry);
  }
}

// Where a step's row is.
template <typename Tables>
struct StepBack {
  template <template <typename> typename Kind>
  void operator()(const Kind<SeatRow>& step) const {
    Back(tables.seats, step);
  }
  template <template <typename> typename Kind>
  void operator()(const Kind<SessionRow>& step) const {
    Back(tables.sessions, step);
  }
  template <template <typename> typename Kind>
  void operator()(const Kind<RequestRow>& step) const {
    Back(tables.requests, step);
  }
  void operator()(const ExpiryStep& step) const {
    Back(tables.expiry, std::pair(step.expire_ms, step.number), step.added);
  }
  void operator()(const TakenStep& step) const { Back(tables.taken, step.number, step.added); }

  Tables& tables;
};

}  // namespace

Undo::Undo(std::unique_ptr<UndoSteps> steps) : steps_(std::move(steps)) {}
Undo::~Undo() = default;
Undo::Undo(Undo&&) noexcept = default;
Undo& Undo::operator=(Undo&&) noexcept = default;

void Showtime::Tables::Revert(UndoSteps& done) {
  const std::vector<UndoSteps::Step>& steps = done.steps();
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    std::visit(StepBack<Tables>{*this}, *step);
  }
  RevertOrder(done.order());
  static_cast<Head&>(*this) = done.head();
}

}  // namespace seatlock::domain

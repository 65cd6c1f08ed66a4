// What one Apply did, so that Showtime::Revert can take it back.
//
// A movable value, owned by whoever called ApplyUndoable; thread-compatible. It may simply be
// dropped once its change is durable. It belongs to the Showtime that gave it (which may be moved
// meanwhile) and is of no use to any other. It is as large as its change, never as the showtime.
#pragma once

#include <memory>

namespace seatlock::domain {

class UndoSteps;  // undo_steps.h

class Undo {
 public:
  ~Undo();
  Undo(Undo&&) noexcept;
  Undo& operator=(Undo&&) noexcept;

 private:
  friend class Showtime;
  explicit Undo(std::unique_ptr<UndoSteps> steps);

  std::unique_ptr<UndoSteps> steps_;  // never null but after a move
};

}  // namespace seatlock::domain

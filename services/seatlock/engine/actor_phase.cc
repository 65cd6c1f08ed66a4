#include "services/seatlock/engine/actor_phase.h"

#include "services/seatlock/engine/limits.h"

namespace seatlock::engine {
namespace {

struct Row {
  Phase from;
  Event event;
  Phase to;
};

constexpr Row kTable[] = {
    {Phase::kUnloaded, Event::kWanted, Phase::kLoading},
    {Phase::kLoading, Event::kLoaded, Phase::kReady},
    {Phase::kLoading, Event::kReadFailed, Phase::kFailed},
    {Phase::kLoading, Event::kDamaged, Phase::kDamaged},
    {Phase::kReady, Event::kAppend, Phase::kAppending},
    {Phase::kReady, Event::kYield, Phase::kYielding},
    {Phase::kYielding, Event::kWanted, Phase::kReady},
    {Phase::kAppending, Event::kCommitted, Phase::kReady},
    {Phase::kAppending, Event::kConflict, Phase::kUnloaded},
    {Phase::kAppending, Event::kTakenBack, Phase::kReady},
    {Phase::kAppending, Event::kTurnedAway, Phase::kQueueFull},
    {Phase::kAppending, Event::kNotAppended, Phase::kFailed},
    {Phase::kAppending, Event::kDamaged, Phase::kDamaged},
    {Phase::kAppending, Event::kUnknown, Phase::kRecovering},
    {Phase::kAppending, Event::kMayLand, Phase::kResending},
    {Phase::kQueueFull, Event::kWanted, Phase::kAppending},
    {Phase::kResending, Event::kWanted, Phase::kAppending},
    {Phase::kRecovering, Event::kRecovered, Phase::kSettling},
    {Phase::kRecovering, Event::kRecoveryFailed, Phase::kUnsettled},
    {Phase::kSettling, Event::kLoaded, Phase::kReady},
    {Phase::kSettling, Event::kReadFailed, Phase::kFailed},
    {Phase::kSettling, Event::kDamaged, Phase::kDamaged},
    {Phase::kUnloaded, Event::kDelete, Phase::kDeleting},
    {Phase::kReady, Event::kDelete, Phase::kDeleting},
    {Phase::kYielding, Event::kDelete, Phase::kDeleting},
    {Phase::kFailed, Event::kDelete, Phase::kDeleting},
    {Phase::kDamaged, Event::kDelete, Phase::kDeleting},
    {Phase::kDeleting, Event::kDeleted, Phase::kUnloaded},
    {Phase::kDeleting, Event::kNotDeleted, Phase::kFailed},
    {Phase::kFailed, Event::kWanted, Phase::kLoading},
    {Phase::kUnsettled, Event::kWanted, Phase::kRecovering},
    {Phase::kDamaged, Event::kWanted, Phase::kLoading},
};

}  // namespace

std::optional<Phase> Next(Phase phase, Event event) {
  for (const Row& row : kTable) {
    if (row.from == phase && row.event == event) return row.to;
  }
  return std::nullopt;
}

int64_t PauseMs(Phase phase) {
  switch (phase) {
    case Phase::kQueueFull:
      return kQueueFullRetryMs;
    case Phase::kResending:
      return kResendMs;
    case Phase::kRecovering:
      return kUnknownRetryMs;
    case Phase::kFailed:
    case Phase::kUnsettled:
      return kRetryMs;
    case Phase::kDamaged:
      return kDamagedRetryMs;
    default:
      return 0;
  }
}

bool HasState(Phase phase) {
  return IsAtHead(phase) || phase == Phase::kAppending || HoldsBatch(phase);
}

bool IsAtHead(Phase phase) {
  return phase == Phase::kReady || phase == Phase::kYielding;
}

bool HoldsBatch(Phase phase) {
  return phase == Phase::kQueueFull || phase == Phase::kResending;
}

const char* Name(Phase phase) {
  constexpr const char* kNames[] = {"Unloaded",  "Loading",   "Ready",      "Yielding", "Appending",
                                    "QueueFull", "Resending", "Recovering", "Settling", "Deleting",
                                    "Failed",    "Unsettled", "Damaged"};
  return kNames[static_cast<int>(phase)];
}

const char* Name(Event event) {
  constexpr const char* kNames[] = {
      "Wanted",    "Loaded",    "ReadFailed",     "Damaged",    "Append",      "Yield",
      "Committed", "Conflict",  "TakenBack",      "TurnedAway", "NotAppended", "Unknown",
      "MayLand",   "Recovered", "RecoveryFailed", "Delete",     "Deleted",     "NotDeleted"};
  return kNames[static_cast<int>(event)];
}

}  // namespace seatlock::engine

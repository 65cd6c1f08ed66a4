// The table of states against the one in the header, line by line.
#include "services/seatlock/engine/actor_phase.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace seatlock::engine {
namespace {

constexpr Phase kPhases[] = {
    Phase::kUnloaded,  Phase::kLoading,   Phase::kReady,      Phase::kYielding, Phase::kAppending,
    Phase::kQueueFull, Phase::kResending, Phase::kRecovering, Phase::kSettling, Phase::kDeleting,
    Phase::kFailed,    Phase::kUnsettled, Phase::kDamaged};
constexpr Event kEvents[] = {Event::kWanted,     Event::kLoaded,      Event::kReadFailed,
                             Event::kDamaged,    Event::kAppend,      Event::kYield,
                             Event::kCommitted,  Event::kConflict,    Event::kTakenBack,
                             Event::kTurnedAway, Event::kNotAppended, Event::kUnknown,
                             Event::kMayLand,    Event::kRecovered,   Event::kRecoveryFailed,
                             Event::kDelete,     Event::kDeleted,     Event::kNotDeleted};

// As the header says it.
const std::map<std::pair<Phase, Event>, Phase> kSaid = {
    {{Phase::kUnloaded, Event::kWanted}, Phase::kLoading},
    {{Phase::kLoading, Event::kLoaded}, Phase::kReady},
    {{Phase::kLoading, Event::kReadFailed}, Phase::kFailed},
    {{Phase::kLoading, Event::kDamaged}, Phase::kDamaged},
    {{Phase::kReady, Event::kAppend}, Phase::kAppending},
    {{Phase::kReady, Event::kYield}, Phase::kYielding},
    {{Phase::kYielding, Event::kWanted}, Phase::kReady},
    {{Phase::kAppending, Event::kCommitted}, Phase::kReady},
    {{Phase::kAppending, Event::kTakenBack}, Phase::kReady},
    {{Phase::kAppending, Event::kConflict}, Phase::kUnloaded},
    {{Phase::kAppending, Event::kTurnedAway}, Phase::kQueueFull},
    {{Phase::kAppending, Event::kNotAppended}, Phase::kFailed},
    {{Phase::kAppending, Event::kDamaged}, Phase::kDamaged},
    {{Phase::kAppending, Event::kUnknown}, Phase::kRecovering},
    {{Phase::kAppending, Event::kMayLand}, Phase::kResending},
    {{Phase::kQueueFull, Event::kWanted}, Phase::kAppending},
    {{Phase::kResending, Event::kWanted}, Phase::kAppending},
    {{Phase::kRecovering, Event::kRecovered}, Phase::kSettling},
    {{Phase::kRecovering, Event::kRecoveryFailed}, Phase::kUnsettled},
    {{Phase::kSettling, Event::kLoaded}, Phase::kReady},
    {{Phase::kSettling, Event::kReadFailed}, Phase::kFailed},
    {{Phase::kSettling, Event::kDamaged}, Phase::kDamaged},
    {{Phase::kUnloaded, Event::kDelete}, Phase::kDeleting},
    {{Phase::kReady, Event::kDelete}, Phase::kDeleting},
    {{Phase::kYielding, Event::kDelete}, Phase::kDeleting},
    {{Phase::kFailed, Event::kDelete}, Phase::kDeleting},
    {{Phase::kDamaged, Event::kDelete}, Phase::kDeleting},
    {{Phase::kDeleting, Event::kDeleted}, Phase::kUnloaded},
    {{Phase::kDeleting, Event::kNotDeleted}, Phase::kFailed},
    {{Phase::kFailed, Event::kWanted}, Phase::kLoading},
    {{Phase::kUnsettled, Event::kWanted}, Phase::kRecovering},
    {{Phase::kDamaged, Event::kWanted}, Phase::kLoading},
};

TEST(ActorPhaseTest, EveryEventInEveryStateLeadsWhereTheHeaderSays) {
  for (const Phase phase : kPhases) {
    for (const Event event : kEvents) {
      const auto said = kSaid.find({phase, event});
      const auto next = Next(phase, event);
      ASSERT_EQ(next.has_value(), said != kSaid.end()) << Name(event) << " in " << Name(phase);
      if (next) {
        EXPECT_EQ(*next, said->second) << Name(event) << " in " << Name(phase);
      }
    }
  }
}

// Who waits for a pause is let out of it, and a batch that waits is not lost on the way.
TEST(ActorPhaseTest, EveryStateThatPausesIsLeftWhenSomebodyWantsIt) {
  for (const Phase phase : kPhases) {
    // After an unknown outcome the pause holds back the next append, not the recovery.
    if (PauseMs(phase) == 0 || phase == Phase::kRecovering) continue;
    const auto next = Next(phase, Event::kWanted);
    ASSERT_TRUE(next.has_value()) << Name(phase);
    EXPECT_EQ(HoldsBatch(phase), *next == Phase::kAppending) << Name(phase);
  }
}

TEST(ActorPhaseTest, EveryStateAndEventHasANameOfItsOwn) {
  std::map<std::string, int> names;
  for (const Phase phase : kPhases) ++names[Name(phase)];
  EXPECT_EQ(names.size(), std::size(kPhases));
  names.clear();
  for (const Event event : kEvents) ++names[Name(event)];
  EXPECT_EQ(names.size(), std::size(kEvents));
}

}  // namespace
}  // namespace seatlock::engine

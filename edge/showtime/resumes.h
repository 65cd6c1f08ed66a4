// Answers who comes back to a showtime with a position that the room's history does not cover
// (feed.h: Feed::Resume). Part of a source, and strand-bound like it.
//
// An ask is *covered* once the source's history goes back to it: answered from there. Else it is
// *behind* (older than the history) or *ahead* (newer than the source, or of another epoch). While
// the source is live one short second watch at a time, a *round*, settles all who need it:
// - behind: the changes from the oldest position up to the history, for everybody at once. They are
//   kept a while, because a crowd comes with positions near each other.
// - ahead: where the confirmed head of the showtime is. Nobody is answered before the source has
//   reached it, so nobody is shown anything older than it; whoever is still ahead of it, or of
//   another epoch, was given a position that does not exist.
// If a round fails nobody gets a part: those behind take a snapshot of the source, which is newer
// than what they had; those ahead wait for a fresh one of the service. If the service refuses
// probes, the source's own stream tells, later, where the head is: a live one is told every 10 s.
//
// The round (only Enter() changes it):
//
//   round     | holds          | event → what happens → next round
//   ----------+----------------+-----------------------------------------------------------------
//   kNone     | nothing        | somebody waits who can't be answered, and a turn is free: a
//             |                | second watch begins → kFilling for those behind, kProbing for
//             |                | those ahead, by turns if there are both
//             |                | the same, and no turn is free → kQueued
//   kQueued   | a place in the | the turn comes → kNone, and all are looked at
//             | turns' queue   |
//   kFilling  | turn, backfill | it reaches the history: kept, all in it are answered → kNone
//             |                | the service keeps less, or it is too much: the older half of
//             |                | those in it is answered null → kNone
//             |                | it breaks, or takes kBackfillMsMax: all in it are answered null
//             |                | → kNone
//             |                | the service refuses it: the same → kRefused
//             |                | the source pauses, restarts or is lost → kNone
//   kProbing  | turn, backfill | it says where the head is: that is the target → kNone
//             |                | it breaks, or takes kBackfillMsMax: the source begins anew, and
//             |                | its snapshot settles all who are ahead of it → kNone
//             |                | the service refuses it, and one was refused before: who is
//             |                | ahead since then is answered null, if the source's own stream
//             |                | was told a change or progress since then → kRefused
//             |                | the service refuses it: nobody else is answered → kRefused
//             |                | the source pauses, restarts or is lost → kNone
//   kRefused  | nothing        | who is behind is answered null at once; who is ahead waits for
//             |                | the next probe, for the source's own stream would be refused too
//             |                | kRefusedRetryMs pass → kNone, and all are looked at
//
// The standing of an ask:
//
//   standing    | means                                  | event → next standing
//   ------------+----------------------------------------+---------------------------------------
//   kOpen       | nothing was done for it yet            | a round for it begins → kInRound
//   kInRound    | the round that is under way settles it | the round ends → kOpen; the head is
//               |                                        | known, and not past it → kUnreal; the
//               |                                        | probe failed → kLastChance
//   kUnreal     | its position does not exist: answered  | another history begins → kOpen
//               | null once the source is at the target  |
//   kLastChance | answered null if the next state is     | a filling round begins → kInRound
//               | still behind it                        |
//
// What is answered together is shared: one range of entries for all, from the oldest on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "edge/showtime/backfill.h"
#include "edge/showtime/backfill_turns.h"
#include "edge/showtime/feed.h"
#include "edge/showtime/room_state.h"
#include "edge/showtime/source_env.h"
#include "edge/showtime/source_listener.h"

namespace seatlock::edge {

class Resumes {
 public:
  // The source.
  class Host {
   public:
    virtual ~Host() = default;
    virtual const RoomState& state() const = 0;
    virtual bool live() const = 0;
    // Whether its stream is not read on for now.
    virtual bool Full() const = 0;
    // Begins anew with a snapshot; not live until it is there. Calls Paused().
    virtual void Rewatch() = 0;
  };

  // `turns` and `host` outlive it.
  Resumes(const SourceEnv& env, BackfillTurns& turns, std::string showtime_id, Host& host);
  ~Resumes();

  void Ask(SourceListener* listener, const Position& position);
  // The listener is gone.
  void Forget(const SourceListener* listener);

  // What happens to the source: it has become live; it has applied a change; it was live, and the
  // service says that it is at the head; it has a whole new state, and becomes live next; it is not
  // live for now; its stream is lost.
  void Live();
  void Advanced();
  void Confirmed();
  void Restarted();
  void Paused();
  void Lost();

 private:
  // Revision 0 is one place, whatever the epoch: {"", 0}.
  using Key = std::pair<std::string, uint64_t>;
  using Missed = std::shared_ptr<const Entries>;
  enum class Round { kNone, kQueued, kFilling, kProbing, kRefused };
  enum class Standing { kOpen, kInRound, kUnreal, kLastChance };
  struct Waiters {
    std::vector<std::pair<SourceListener*, Position>> waiting;
    Standing standing = Standing::kOpen;
    // Of one ahead: what words_ was when a probe was refused first since it was asked.
    std::optional<uint64_t> refused_at_word;
  };
  using Asks = std::map<Key, Waiters>;

  bool Behind(const Key& key) const;
  bool Reached(const Position& head) const;
  const Key* Oldest() const;
  const Key* Newest() const;

  // Answers all who can be answered, and begins the next round for the others.
  void Look();
  bool TryAnswer(Asks::iterator ask);
  void Answer(Asks::iterator ask, const Missed& missed);
  Missed FromHistory(const Key& key);
  Missed FromKept(const Key& key) const;

  void BeginRound();
  void Enter(Round next);
  void EndRound();
  void OnNews();
  void OnMissed();
  void OnHead(Position head);
  void FailRound();
  void FailFilling();
  void FailProbing();
  void RefuseRound();
  void AnswerDenied();
  void AnswerRoundNull();
  void GiveUpOlderHalf();

  void KeepMissed();
  void DropKept();
  void ExpectTarget();

  template <typename Call>
  void Later(int64_t delay_ms, Call call);

  const SourceEnv env_;
  BackfillTurns& turns_;
  const std::string showtime_id_;
  Host& host_;
  Asks asks_;

  Round round_ = Round::kNone;
  Round last_ = Round::kFilling;  // The last one of those that take turns.
  uint64_t round_number_ = 0;     // Timers of another round do nothing.
  std::unique_ptr<BackfillTurns::Turn> turn_;
  std::unique_ptr<Backfill> backfill_;

  uint64_t words_ = 0;  // How often the live source was told where the showtime is.

  // The confirmed head that the source has to reach.
  std::optional<Position> target_;
  uint64_t target_number_ = 0;

  // The last round's changes, and the source's history as it was answered with last, if somebody
  // still has it. Null: none.
  Missed kept_;
  std::weak_ptr<const Entries> history_;
  size_t kept_bytes_ = 0;  // As told to `turns_`.
  uint64_t kept_number_ = 0;

  // Timers look whether this is still there.
  const std::shared_ptr<Resumes*> self_ = std::make_shared<Resumes*>(this);
};

}  // namespace seatlock::edge

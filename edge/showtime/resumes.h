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
// Where a round fails nobody gets a part: those behind take a snapshot of the source, which is
// newer than what they had; those ahead wait for a fresh one of the service.
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
    // Begins anew with a snapshot; not live until it is there. Calls Paused().
    virtual void Rewatch() = 0;
  };

  // `turns` and `host` outlive it.
  Resumes(const SourceEnv& env, BackfillTurns& turns, std::string showtime_id, Host& host);
  ~Resumes();

  void Ask(SourceListener* listener, const Position& position);
  // The listener is gone.
  void Forget(const SourceListener* listener);

  // What happens to the source: it has become live; it has applied a change; it has a whole new
  // state, and becomes live next; it is not live for now; its stream is lost.
  void Live();
  void Advanced();
  void Restarted();
  void Paused();
  void Lost();

 private:
  // Revision 0 is one place, whatever the epoch: {"", 0}.
  using Key = std::pair<std::string, uint64_t>;
  struct Waiters {
    std::vector<std::pair<SourceListener*, Position>> waiting;
    bool in_round = false;
    bool unreal = false;       // Answered null once the source has reached the target.
    bool last_chance = false;  // Answered null where the next state is still behind it.
  };
  using Asks = std::map<Key, Waiters>;

  bool Behind(const Key& key) const;
  bool Reached(const Position& head) const;
  const Key* Oldest() const;
  const Key* Newest() const;

  // Answers all who can be answered, and begins the next round for the others.
  void Look();
  bool TryAnswer(Asks::iterator ask);
  void Answer(Asks::iterator ask, const std::shared_ptr<const Entries>& missed);
  std::shared_ptr<const Entries> FromKept(const Key& key) const;

  void BeginRound();
  void EndRound();
  void OnNews();
  void OnMissed();
  void OnHead(Position head);
  void FailRound();
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

  // The round that is under way.
  std::unique_ptr<BackfillTurns::Turn> turn_;
  std::unique_ptr<Backfill> backfill_;
  bool waits_for_turn_ = false;
  bool probing_ = false;  // It is for those ahead.
  uint64_t round_ = 0;

  // The confirmed head that the source has to reach.
  std::optional<Position> target_;
  uint64_t target_number_ = 0;

  // The last round's changes.
  Entries kept_;
  size_t kept_bytes_ = 0;  // As told to `turns_`.
  uint64_t kept_number_ = 0;

  // Timers look whether this is still there.
  const std::shared_ptr<Resumes*> self_ = std::make_shared<Resumes*>(this);
};

}  // namespace seatlock::edge

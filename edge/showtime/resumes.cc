#include "edge/showtime/resumes.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "edge/limits.h"

namespace seatlock::edge {

Resumes::Resumes(const SourceEnv& env, BackfillTurns& turns, std::string showtime_id, Host& host)
    : env_(env), turns_(turns), showtime_id_(std::move(showtime_id)), host_(host) {}

Resumes::~Resumes() {
  DropKept();
}

// ---- What is asked, and what happens to the source ---------------------------------------------

void Resumes::Ask(SourceListener* listener, const Position& position) {
  const Key key = position.revision == 0 ? Key() : Key(position.epoch, position.revision);
  const auto ask = asks_.try_emplace(key).first;
  ask->second.waiting.emplace_back(listener, position);
  if (host_.live() && !TryAnswer(ask)) BeginRound();
}

void Resumes::Forget(const SourceListener* listener) {
  for (auto ask = asks_.begin(); ask != asks_.end();) {
    std::erase_if(ask->second.waiting, [&](const auto& one) { return one.first == listener; });
    ask = ask->second.waiting.empty() ? asks_.erase(ask) : std::next(ask);
  }
  if (asks_.empty()) Lost();
}

void Resumes::Live() {
  ++words_;
  Look();
}

void Resumes::Confirmed() {
  ++words_;
}

void Resumes::Advanced() {
  ++words_;
  if (asks_.empty() || !host_.live()) return;
  const Position& position = host_.state().position();
  if (target_ && Reached(*target_)) {
    Look();
    return;
  }
  const auto ask = asks_.find({position.epoch, position.revision});
  if (ask != asks_.end()) TryAnswer(ask);
}

void Resumes::Restarted() {
  EndRound();
  DropKept();
  if (!target_) return;
  const Position& position = host_.state().position();
  if (target_->revision == 0) target_ = position;
  if (position.epoch == target_->epoch) return;
  // The service has begun another history since: what is real has to be asked again.
  target_.reset();
  for (auto& [key, ask] : asks_) {
    if (ask.standing == Standing::kUnreal) ask.standing = Standing::kOpen;
  }
}

void Resumes::Paused() {
  EndRound();
}

void Resumes::Lost() {
  asks_.clear();
  target_.reset();
  EndRound();
}

// ---- Places ------------------------------------------------------------------------------------

// Of an ask that is not covered.
bool Resumes::Behind(const Key& key) const {
  const Position& position = host_.state().position();
  return key.second == 0 || (key.first == position.epoch && key.second <= position.revision);
}

bool Resumes::Reached(const Position& head) const {
  const Position& position = host_.state().position();
  if (head.revision == 0) return position.revision == 0;
  return position.epoch == head.epoch && position.revision >= head.revision;
}

// The oldest one behind. Null: none is.
const Resumes::Key* Resumes::Oldest() const {
  if (!asks_.empty() && asks_.begin()->first.second == 0) return &asks_.begin()->first;
  const auto oldest = asks_.lower_bound({host_.state().position().epoch, 1});
  return oldest != asks_.end() && Behind(oldest->first) ? &oldest->first : nullptr;
}

// The newest one ahead of an epoch, of the source's where there is one. Null: none is.
const Resumes::Key* Resumes::Newest() const {
  if (asks_.empty()) return nullptr;
  const std::string& epoch = host_.state().position().epoch;
  const auto after = asks_.upper_bound({epoch, std::numeric_limits<uint64_t>::max()});
  if (after != asks_.begin() && !Behind(std::prev(after)->first)) return &std::prev(after)->first;
  if (after != asks_.end()) return &std::prev(asks_.end())->first;
  const auto first = asks_.lower_bound({epoch, 0});
  if (first == asks_.begin() || Behind(std::prev(first)->first)) return nullptr;
  return &std::prev(first)->first;
}

// ---- Answers -----------------------------------------------------------------------------------

void Resumes::Look() {
  if (asks_.empty() || !host_.live()) return;
  const bool reached = target_ && Reached(*target_);
  if (reached) target_.reset();
  for (auto ask = asks_.begin(); ask != asks_.end();) {
    const auto next = std::next(ask);
    if (reached && ask->second.standing == Standing::kUnreal) {
      Answer(ask, nullptr);
    } else {
      TryAnswer(ask);
    }
    ask = next;
  }
  BeginRound();
}

bool Resumes::TryAnswer(Asks::iterator ask) {
  const Key& key = ask->first;
  const RoomState& state = host_.state();
  Missed missed;
  if (state.Covers({key.first, key.second})) {
    missed = FromHistory(key);
  } else if (Behind(key)) {
    missed = FromKept(key);
    const bool too_old = state.base().revision - key.second > kBackfillChangesMax;
    if (!missed && !too_old && round_ != Round::kRefused) return false;
  } else if (ask->second.standing != Standing::kLastChance) {
    return false;
  }
  Answer(ask, missed);
  return true;
}

void Resumes::Answer(Asks::iterator ask, const Missed& missed) {
  for (const auto& [listener, position] : ask->second.waiting) {
    listener->Hear(FeedResume{position, missed});
  }
  asks_.erase(ask);
}

// Of a position that the history covers.
Resumes::Missed Resumes::FromHistory(const Key& key) {
  if (key.second == host_.state().position().revision) return std::make_shared<const Entries>();
  const std::deque<EntryPtr>& history = host_.state().history();
  Missed shared = history_.lock();
  const bool same = shared && shared->size() == history.size() && shared->back() == history.back();
  if (!same) {
    shared = std::make_shared<const Entries>(history.begin(), history.end());
    history_ = shared;
  }
  return shared;
}

// Null if they do not go back to it, or end before the history begins.
Resumes::Missed Resumes::FromKept(const Key& key) const {
  if (!kept_ || kept_->front()->revision() > key.second + 1) return nullptr;
  if (kept_->back()->revision() < host_.state().base().revision) return nullptr;
  return kept_;
}

// ---- Rounds ------------------------------------------------------------------------------------

void Resumes::BeginRound() {
  if (round_ != Round::kNone) return;
  const Key* oldest = Oldest();
  const Key* newest = target_ ? nullptr : Newest();
  if (oldest == nullptr && newest == nullptr) return;
  turn_ = turns_.Take(self_, [this] {
    Enter(Round::kNone);
    Look();
  });
  if (!turn_) {
    Enter(Round::kQueued);
    return;
  }
  const bool probe = newest != nullptr && (oldest == nullptr || last_ == Round::kFilling);
  Enter(probe ? Round::kProbing : Round::kFilling);
  for (auto& [key, ask] : asks_) {
    if (Behind(key) != probe) ask.standing = Standing::kInRound;
  }
  const Key& from = probe ? *newest : *oldest;
  ++env_.stats.backfills_total;
  backfill_ = std::make_unique<Backfill>(showtime_id_, Position{from.first, from.second},
                                         [this] { OnNews(); });
  backfill_->Start(env_.upstream);
  Later(kBackfillMsMax, [this, number = round_number_] {
    if (round_number_ == number) FailRound();
  });
}

void Resumes::Enter(Round next) {
  round_ = next;
  ++round_number_;
  if (next == Round::kFilling || next == Round::kProbing) last_ = next;
}

// Of one that runs. Others may get its turn inside this call.
void Resumes::EndRound() {
  if (round_ != Round::kFilling && round_ != Round::kProbing) return;
  Enter(Round::kNone);
  backfill_.reset();
  for (auto& [key, ask] : asks_) {
    if (ask.standing == Standing::kInRound) ask.standing = Standing::kOpen;
  }
  turn_.reset();
}

void Resumes::OnNews() {
  if (backfill_->state() == Backfill::State::kBroken) {
    FailRound();
  } else if (backfill_->state() == Backfill::State::kRefused) {
    RefuseRound();
  } else if (round_ == Round::kProbing) {
    OnHead(*backfill_->head());
  } else {
    OnMissed();
  }
}

void Resumes::OnMissed() {
  const Entries& entries = backfill_->entries();
  if (backfill_->state() == Backfill::State::kReplaced || entries.size() > kBackfillChangesMax ||
      backfill_->bytes() > kBackfillBytesMax) {
    GiveUpOlderHalf();
  } else if (!entries.empty() && entries.back()->revision() >= host_.state().base().revision) {
    KeepMissed();
  }
}

// The service keeps less than was asked for, or it is more than may be held here.
void Resumes::GiveUpOlderHalf() {
  std::vector<Asks::iterator> asked;
  for (auto ask = asks_.begin(); ask != asks_.end(); ++ask) {
    if (ask->second.standing == Standing::kInRound) asked.push_back(ask);
  }
  // Of one epoch, and so by revision.
  for (size_t i = 0; i < (asked.size() + 1) / 2; ++i) Answer(asked[i], nullptr);
  EndRound();
  Look();
}

void Resumes::FailRound() {
  if (round_ == Round::kProbing) {
    FailProbing();
  } else {
    FailFilling();
  }
}

// The snapshot that comes is of a later time than everything that was asked by now.
void Resumes::FailProbing() {
  EndRound();
  for (auto& [key, ask] : asks_) {
    ask.standing = Behind(key) ? Standing::kOpen : Standing::kLastChance;
  }
  host_.Rewatch();
}

void Resumes::FailFilling() {
  AnswerRoundNull();
  EndRound();
  Look();
}

void Resumes::RefuseRound() {
  ++env_.stats.upstream_refused_total;
  if (round_ == Round::kFilling) AnswerRoundNull();
  if (round_ == Round::kProbing) AnswerDenied();
  EndRound();
  Enter(Round::kRefused);
  Later(kRefusedRetryMs, [this, number = round_number_] {
    if (round_number_ != number) return;
    Enter(Round::kNone);
    Look();
  });
  Look();
}

// The source's own stream has said where the head is, or was, at some time after they asked: who is
// still ahead of it was given a position that does not exist. What was on its way when they asked
// has come between two probes, unless the stream is not read.
void Resumes::AnswerDenied() {
  for (auto ask = asks_.begin(); ask != asks_.end();) {
    const auto next = std::next(ask);
    std::optional<uint64_t>& since = ask->second.refused_at_word;
    if (since && *since < words_ && !host_.Full()) {
      Answer(ask, nullptr);
    } else if (!since && !Behind(ask->first)) {
      since = words_;
    }
    ask = next;
  }
}

void Resumes::AnswerRoundNull() {
  for (auto ask = asks_.begin(); ask != asks_.end();) {
    const auto next = std::next(ask);
    if (ask->second.standing == Standing::kInRound) Answer(ask, nullptr);
    ask = next;
  }
}

// Everybody who asked before the service said where the head is, and is not at or before it, was
// given a position that does not exist.
void Resumes::OnHead(const Position head) {
  for (auto& [key, ask] : asks_) {
    if (ask.standing != Standing::kInRound) continue;
    const bool unreal = key.first != head.epoch || key.second > head.revision;
    ask.standing = unreal ? Standing::kUnreal : Standing::kOpen;
  }
  EndRound();
  target_ = head;
  const Position& position = host_.state().position();
  const bool follows_on =
      position.revision == 0 || (head.revision > 0 && position.epoch == head.epoch);
  ExpectTarget();
  if (follows_on) {
    Look();
  } else {
    host_.Rewatch();
  }
}

// A stream that does not get there is given up for another one.
void Resumes::ExpectTarget() {
  Later(kBackfillMsMax, [this, number = ++target_number_] {
    if (!target_ || target_number_ != number) return;
    ExpectTarget();
    if (host_.live()) host_.Rewatch();
  });
}

// ---- What a round leaves behind ----------------------------------------------------------------

void Resumes::KeepMissed() {
  if (backfill_->entries().back()->change.position.epoch != host_.state().position().epoch) {
    FailRound();
    return;
  }
  DropKept();
  const size_t bytes = backfill_->bytes();
  Entries entries = backfill_->TakeEntries();
  entries.shrink_to_fit();
  kept_ = std::make_shared<const Entries>(std::move(entries));
  EndRound();
  const bool keep = turns_.Keep(bytes);
  if (keep) kept_bytes_ = bytes;
  Later(keep ? kBackfillKeepMs : 0, [this, number = kept_number_] {
    if (kept_number_ == number) DropKept();
  });
  Look();
}

void Resumes::DropKept() {
  ++kept_number_;
  kept_.reset();
  turns_.Unkeep(std::exchange(kept_bytes_, 0));
}

template <typename Call>
void Resumes::Later(int64_t delay_ms, Call call) {
  env_.timers.After(delay_ms,
                    [weak = std::weak_ptr<Resumes*>(self_), call = std::move(call)]() mutable {
                      if (weak.lock()) call();
                    });
}

}  // namespace seatlock::edge

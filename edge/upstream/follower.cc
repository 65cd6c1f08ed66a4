#include "edge/upstream/follower.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "edge/limits.h"
#include "edge/upstream/refusal.h"
#include "edge/upstream/retry_info.h"

namespace seatlock::edge {
namespace {

// Revision 0 is one place, whatever the epoch.
bool SameHistory(const Position& a, const Position& b) {
  return a.epoch == b.epoch || a.revision == 0 || b.revision == 0;
}

// What a change or progress speaks of; null for the rest.
const Position* PositionOf(const StreamEvent& event) {
  if (const auto* change = std::get_if<Change>(&event)) return &change->position;
  const auto* progress = std::get_if<Progress>(&event);
  return progress != nullptr ? &progress->position : nullptr;
}

}  // namespace

Follower::Follower(std::shared_ptr<SeatService> service, std::string showtime_id, WatchSink* sink)
    : service_(std::move(service)),
      showtime_id_(std::move(showtime_id)),
      sink_(sink),
      route_(*service_->servers, showtime_id_) {}

void Follower::Start() {
  service_->servers->Add(this);
  Wait(0);
}

void Follower::Restart() {
  CancelStreams();
  Wait(backoff_.NextMs());
}

void Follower::Stop() {
  sink_ = nullptr;
  service_->servers->Remove(this);
  See(Health::Seen::kNothing);
  CancelStreams();
  Enter(Phase::kOver);
}

// ---- What streams say. The sink may stop or restart this inside each of its methods. -----------

void Follower::OnEvent(const Stream* stream, StreamEvent event) {
  if (IsMain(stream)) {
    OnMainEvent(std::move(event));
  } else if (IsSecond(stream)) {
    OnSecondEvent(std::move(event));
  }
}

void Follower::OnMainEvent(StreamEvent event) {
  Heard();
  if (const auto* part = std::get_if<SnapshotPart>(&event)) {
    in_snapshot_ = part->more;
    // The second one was begun from a state that this replaces.
    if (phase_ == Phase::kMoving) GiveUpMove();
  }
  if (phase_ == Phase::kMoving || main_.merges) {
    if (IsKnown(main_, event)) return;
    if (phase_ != Phase::kMoving) main_.merges = false;
  }
  Pass(std::move(event));
}

void Follower::OnSecondEvent(StreamEvent event) {
  if (std::holds_alternative<std::monostate>(event)) return;
  const std::optional<Position> at = sink_->ResumeFrom();
  const Position* says = PositionOf(event);
  const bool is_change = std::holds_alternative<Change>(event);
  // A move is not seen: nothing but what follows on helps.
  if (!at || says == nullptr || !SameHistory(*says, *at) || says->revision < second_.from ||
      says->revision > at->revision + (is_change ? 1 : 0)) {
    GiveUpMove();
    return;
  }
  const bool known = IsKnown(second_, event);
  if (!is_change) Adopt();
  if (!known) Pass(std::move(event));
}

void Follower::Heard() {
  See(Health::Seen::kServed);
  backoff_.Reset();
  last_event_ms_ = now_ms();
  if (phase_ != Phase::kTrying) return;
  outage_ = Outage::kNone;
  ++outages_;
  refused_.reset();
  route_.NewRound(now_ms());
  Enter(Phase::kFollowing);
  PlanMove();
}

bool Follower::IsKnown(const Leg& leg, const StreamEvent& event) const {
  const std::optional<Position> at = sink_->ResumeFrom();
  const Position* says = PositionOf(event);
  if (!at || says == nullptr || !SameHistory(*says, *at) || says->revision < leg.from) return false;
  const bool is_change = std::holds_alternative<Change>(event);
  return says->revision < at->revision || (is_change && says->revision == at->revision);
}

void Follower::Pass(StreamEvent event) {
  if (auto* part = std::get_if<SnapshotPart>(&event)) {
    sink_->OnSnapshot(std::move(*part));
  } else if (auto* change = std::get_if<Change>(&event)) {
    sink_->OnChange(std::move(*change));
  } else if (auto* progress = std::get_if<Progress>(&event)) {
    sink_->OnProgress(progress->position);
  }
}

// A stream that is not read says nothing, and is not silent for that.
bool Follower::Full(const Stream* stream) {
  if (!IsMain(stream) && !IsSecond(stream)) return false;
  if (!sink_->Full()) return false;
  last_event_ms_ = now_ms();
  return true;
}

void Follower::OnEnd(const Stream* stream, const grpc::Status& status) {
  if (IsMain(stream)) {
    MainEnded(status);
  } else if (IsSecond(stream)) {
    GiveUpMove();
  }
}

// ---- One stream after another ------------------------------------------------------------------

void Follower::Enter(Phase next) {
  phase_ = next;
  ++entered_;
}

void Follower::InPhase(int64_t delay_ms, void (Follower::*call)()) {
  service_->options.timers->After(delay_ms, [weak = weak_from_this(), call, entered = entered_] {
    const std::shared_ptr<Follower> self = weak.lock();
    if (self && self->entered_ == entered) (self.get()->*call)();
  });
}

void Follower::Wait(int64_t delay_ms) {
  Enter(Phase::kWaiting);
  InPhase(delay_ms, &Follower::BeginRound);
}

void Follower::BeginRound() {
  route_.NewRound(now_ms());
  refused_.reset();
  if (auto server = route_.Best()) {
    Begin(std::move(server));
    return;
  }
  // OnServers() ends this wait if no time does.
  if (const int64_t again_ms = route_.AgainMs(); again_ms > 0) Wait(again_ms - now_ms());
  if (outage_ != Outage::kTold && !service_->servers->pending()) Tell();
}

void Follower::Begin(std::shared_ptr<SeatServer> server) {
  // A first attempt fails at once if the service is away, so that the sink hears of it; after a
  // loss they wait for the channel of an only server, so that nothing spins and all begin the
  // moment it is back. Of several servers it is known when they are back.
  const bool wait_for_ready = !server->asked() && seen_ == Health::Seen::kLost;
  MainIs(LegOn(std::move(server), wait_for_ready));
  Enter(Phase::kTrying);
  if (service_->servers->several()) InPhase(kTryMsMax, &Follower::LookWhetherItSpoke);
}

Follower::Leg Follower::LegOn(std::shared_ptr<SeatServer> server, bool wait_for_ready) {
  const std::optional<Position> from = sink_->ResumeFrom();
  auto stream =
      Stream::Begin(*service_, *server, weak_from_this(), {showtime_id_, from, wait_for_ready});
  return {std::move(stream), std::move(server), from ? from->revision : 0, false};
}

void Follower::MainIs(Leg leg) {
  main_ = std::move(leg);
  ++attempt_;
  last_event_ms_ = now_ms();
  in_snapshot_ = false;
  WatchSilence(kStreamSilentMsMax);
}

void Follower::MainEnded(const grpc::Status& status) {
  route_.Failed(std::exchange(main_, {}).server, now_ms() + RetryAfterMs(status));
  if (auto refusal = RefusalOf(status)) refused_ = std::move(refusal);
  if (phase_ == Phase::kMoving) {
    Hide();
    MainIs(std::exchange(second_, {}));
    Enter(Phase::kTrying);
    InPhase(kTryMsMax, &Follower::LookWhetherItSpoke);
    return;
  }
  std::shared_ptr<SeatServer> next = OthersMayServe(status) ? route_.Best() : nullptr;
  if (next) {
    Hide();
    sink_->OnSwitched();
    Begin(std::move(next));
    return;
  }
  Wait(std::max<int64_t>(route_.AgainMs() - now_ms(), 0) + backoff_.NextMs());
  Tell();
}

void Follower::LookWhetherItSpoke() {
  if (route_.Best(main_.server.get())) {
    LeaveMain("it says nothing");
  } else {
    InPhase(kTryMsMax, &Follower::LookWhetherItSpoke);
  }
}

void Follower::LeaveMain(const char* why) {
  if (main_.stream) main_.stream->Cancel();
  MainEnded(grpc::Status(grpc::StatusCode::UNAVAILABLE, why));
}

void Follower::WatchSilence(int64_t delay_ms) {
  service_->options.timers->After(delay_ms, [weak = weak_from_this(), attempt = attempt_] {
    const std::shared_ptr<Follower> self = weak.lock();
    if (!self || self->attempt_ != attempt) return;
    const int64_t silent_ms = self->now_ms() - self->last_event_ms_;
    if (silent_ms < kStreamSilentMsMax) {
      self->WatchSilence(kStreamSilentMsMax - silent_ms);
    } else {
      self->LeaveMain("it is silent");
    }
  });
}

void Follower::CancelStreams() {
  ++attempt_;
  for (Leg* leg : {&main_, &second_}) {
    const Leg old = std::exchange(*leg, {});
    if (old.stream) old.stream->Cancel();
  }
}

// ---- Servers -----------------------------------------------------------------------------------

void Follower::OnServers(const SeatServer* back) {
  if (back != nullptr) route_.Forgive(*back);
  if (phase_ == Phase::kWaiting) {
    const bool nothing_to_wait_for = outage_ != Outage::kTold && service_->servers->all().empty();
    if (nothing_to_wait_for || route_.Best()) Wait(0);
  } else if (main_.server && main_.server->given_up()) {
    InPhase(0, &Follower::LeaveGivenUpServer);
  } else if (phase_ == Phase::kFollowing) {
    PlanMove();
  }
}

void Follower::LeaveGivenUpServer() {
  if (main_.server && main_.server->given_up()) LeaveMain("it is no longer one of the servers");
}

void Follower::PlanMove() {
  if (!service_->servers->several() || !main_.server) return;
  if (!route_.Better(*main_.server)) {
    // Where it was to go is away again: when that is back its time begins anew.
    move_at_ms_.reset();
    return;
  }
  MoveIn(main_.server->serving() ? backoff_.Within(kReturnMsMin, kReturnMsMax)
                                 : backoff_.Within(0, kLeaveMsMax));
}

// One that is planned already for a sooner time stays.
void Follower::MoveIn(int64_t delay_ms) {
  const int64_t at_ms = now_ms() + delay_ms;
  if (move_at_ms_ && *move_at_ms_ <= at_ms) return;
  move_at_ms_ = at_ms;
  service_->options.timers->After(delay_ms, [weak = weak_from_this(), at_ms] {
    const std::shared_ptr<Follower> self = weak.lock();
    if (!self || self->move_at_ms_ != at_ms) return;
    self->move_at_ms_.reset();
    self->Move();
  });
}

// What there is now may be other than what it was planned for.
void Follower::Move() {
  if (phase_ != Phase::kFollowing) return;
  auto server = route_.Better(*main_.server);
  if (!server) return;
  if (in_snapshot_ || !sink_->ResumeFrom()) {
    MoveIn(backoff_.Within(kMoveAgainMsMin, kMoveAgainMsMax));
    return;
  }
  second_ = LegOn(std::move(server), false);
  second_.merges = true;
  Enter(Phase::kMoving);
  InPhase(kTryMsMax, &Follower::GiveUpMove);
}

void Follower::Adopt() {
  if (main_.stream) main_.stream->Cancel();
  MainIs(std::exchange(second_, {}));
  Enter(Phase::kFollowing);
  PlanMove();
}

void Follower::GiveUpMove() {
  const Leg old = std::exchange(second_, {});
  if (old.stream) old.stream->Cancel();
  Enter(Phase::kFollowing);
  MoveIn(backoff_.Within(kMoveAgainMsMin, kMoveAgainMsMax));
}

// ---- What the sink is told ---------------------------------------------------------------------

void Follower::Hide() {
  if (outage_ != Outage::kNone) return;
  outage_ = Outage::kHidden;
  service_->options.timers->After(kTakeoverMsMax, [weak = weak_from_this(), outage = outages_] {
    const std::shared_ptr<Follower> self = weak.lock();
    if (self && self->outages_ == outage && self->outage_ == Outage::kHidden) self->TellAway();
  });
}

void Follower::Tell() {
  if (!refused_) {
    TellAway();
    return;
  }
  outage_ = Outage::kTold;
  See(Health::Seen::kNothing);
  const Refusal refusal = *refused_;
  sink_->OnRefused(refusal);
}

void Follower::TellAway() {
  outage_ = Outage::kTold;
  See(Health::Seen::kLost);
  sink_->OnLost();
}

void Follower::See(Health::Seen seen) {
  if (seen == seen_) return;
  service_->health.Changed(std::exchange(seen_, seen), seen);
  if (const std::optional<bool> up = service_->health.up()) service_->servers->Saw(*up);
}

}  // namespace seatlock::edge

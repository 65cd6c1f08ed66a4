#include "services/seatlock/log/codec/record_codec.h"

#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "seatlock/log/v1/record.pb.h"
#include "services/seatlock/domain/limits.h"

namespace seatlock::log {
namespace {

namespace pb = ::seatlock::log::v1;

constexpr size_t kBodyHashBytes = 16;

absl::Status Lost(const char* what) {
  return absl::DataLossError(absl::StrCat("stored bytes: ", what));
}

// protobuf has seen to it that texts are UTF-8.
bool IsIdOrNone(const std::string& id, size_t bytes_max) {
  return id.size() <= bytes_max;
}
bool IsId(const std::string& id, size_t bytes_max) {
  return !id.empty() && IsIdOrNone(id, bytes_max);
}
bool IsTime(int64_t ms) {
  return ms >= 0 && ms <= domain::kTimeMsMax;
}

absl::Status TakeSeats(google::protobuf::RepeatedPtrField<std::string>& in,
                       std::vector<domain::SeatId>& seats) {
  seats.reserve(seats.size() + in.size());
  for (std::string& seat : in) {
    if (!IsId(seat, domain::kSeatIdBytesMax)) return Lost("a seat without an id in bounds");
    seats.emplace_back(std::move(seat));
  }
  return absl::OkStatus();
}

// The enums of both sides stand in the same order, the stored ones from 1.
pb::SeatStatus ToProto(domain::SeatStatus status) {
  return static_cast<pb::SeatStatus>(static_cast<int>(status) + 1);
}
pb::ChangeCause ToProto(domain::Cause cause) {
  return static_cast<pb::ChangeCause>(static_cast<int>(cause) + 1);
}
static_assert(static_cast<int>(domain::SeatStatus::kAvailable) + 1 == pb::SEAT_STATUS_AVAILABLE);
static_assert(static_cast<int>(domain::SeatStatus::kBlocked) + 1 == pb::SEAT_STATUS_BLOCKED);
static_assert(static_cast<int>(domain::Cause::kLock) + 1 == pb::CHANGE_CAUSE_LOCK);
static_assert(static_cast<int>(domain::Cause::kReopen) + 1 == pb::CHANGE_CAUSE_REOPEN);

std::optional<domain::SeatStatus> FromProto(pb::SeatStatus status) {
  if (status < pb::SEAT_STATUS_AVAILABLE || status > pb::SEAT_STATUS_BLOCKED) return std::nullopt;
  return static_cast<domain::SeatStatus>(status - 1);
}
std::optional<domain::Cause> FromProto(pb::ChangeCause cause) {
  if (cause < pb::CHANGE_CAUSE_LOCK || cause > pb::CHANGE_CAUSE_REOPEN) return std::nullopt;
  return static_cast<domain::Cause>(cause - 1);
}

void ToProto(const domain::SeatAfter& seat, pb::SeatAfter& out) {
  out.set_seat_id(seat.seat.value());
  out.set_status(ToProto(seat.status));
  out.set_session_id(seat.session.value());
  out.set_expire_ms(seat.expire_ms);
  out.set_fence(seat.fence.value());
  out.set_order_id(seat.order.value());
}

absl::StatusOr<domain::SeatAfter> FromProto(pb::SeatAfter& in) {
  const std::optional<domain::SeatStatus> status = FromProto(in.status());
  if (!status) return Lost("a seat status that is not known");
  if (!IsId(in.seat_id(), domain::kSeatIdBytesMax)) return Lost("a seat without an id in bounds");
  if (!IsIdOrNone(in.session_id(), domain::kSessionIdBytesMax) ||
      !IsIdOrNone(in.order_id(), domain::kOrderIdBytesMax)) {
    return Lost("an id that is too long");
  }
  if (!IsTime(in.expire_ms())) return Lost("a time out of bounds");
  const bool locked = *status == domain::SeatStatus::kLocked;
  if (locked != (in.fence() != 0) || (locked && in.session_id().empty()) ||
      (!locked && in.expire_ms() != 0)) {
    return Lost("a seat whose fields do not go with its status");
  }
  return domain::SeatAfter{.seat = domain::SeatId(std::move(*in.mutable_seat_id())),
                           .status = *status,
                           .session = domain::SessionId(std::move(*in.mutable_session_id())),
                           .expire_ms = in.expire_ms(),
                           .fence = domain::Fence(in.fence()),
                           .order = domain::OrderId(std::move(*in.mutable_order_id()))};
}

void ToProto(const domain::RequestKey& key, pb::RequestKey& out) {
  out.set_id(key.id.value());
  out.set_body_hash(key.body_hash);
}

absl::StatusOr<domain::RequestKey> FromProto(pb::RequestKey& in) {
  if (!IsId(in.id(), domain::kRequestIdBytesMax)) return Lost("a request without an id in bounds");
  if (in.body_hash().size() != kBodyHashBytes) return Lost("a request's hash of another size");
  return domain::RequestKey{.id = domain::RequestId(std::move(*in.mutable_id())),
                            .body_hash = std::move(*in.mutable_body_hash())};
}

void ToProto(const domain::SeatState& seat, pb::SeatState& out) {
  out.set_seat_id(seat.seat.value());
  out.set_status(ToProto(seat.status));
  out.set_session_id(seat.session.value());
  out.set_expire_ms(seat.expire_ms);
  out.set_granted_ms(seat.granted_ms);
  out.set_fence(seat.fence.value());
  out.set_order_id(seat.order.value());
  out.set_last_grant_session_id(seat.last_grant_session.value());
  out.set_last_grant_fence(seat.last_grant_fence.value());
  out.set_other_grant_fence(seat.other_grant_fence.value());
  out.set_freed_ms(seat.freed_ms);
}

absl::StatusOr<domain::SeatState> FromProto(pb::SeatState& in) {
  const std::optional<domain::SeatStatus> status = FromProto(in.status());
  if (!status) return Lost("a seat status that is not known");
  if (!IsId(in.seat_id(), domain::kSeatIdBytesMax)) return Lost("a seat without an id in bounds");
  if (!IsIdOrNone(in.session_id(), domain::kSessionIdBytesMax) ||
      !IsIdOrNone(in.last_grant_session_id(), domain::kSessionIdBytesMax) ||
      !IsIdOrNone(in.order_id(), domain::kOrderIdBytesMax)) {
    return Lost("an id that is too long");
  }
  if (!IsTime(in.expire_ms()) || !IsTime(in.granted_ms()) || !IsTime(in.freed_ms())) {
    return Lost("a time out of bounds");
  }
  return domain::SeatState{
      .seat = domain::SeatId(std::move(*in.mutable_seat_id())),
      .status = *status,
      .session = domain::SessionId(std::move(*in.mutable_session_id())),
      .expire_ms = in.expire_ms(),
      .granted_ms = in.granted_ms(),
      .fence = domain::Fence(in.fence()),
      .order = domain::OrderId(std::move(*in.mutable_order_id())),
      .last_grant_session = domain::SessionId(std::move(*in.mutable_last_grant_session_id())),
      .last_grant_fence = domain::Fence(in.last_grant_fence()),
      .other_grant_fence = domain::Fence(in.other_grant_fence()),
      .freed_ms = in.freed_ms()};
}

void ToProto(const domain::OrderEntry& order, pb::OrderEntry& out) {
  out.set_order_id(order.order.value());
  for (const domain::SeatId& seat : order.seats) out.add_seat_ids(seat.value());
  for (const domain::SeatId& seat : order.cancelled) out.add_cancelled_seat_ids(seat.value());
  out.set_closed(order.closed);
}

absl::StatusOr<domain::OrderEntry> FromProto(pb::OrderEntry& in) {
  if (!IsId(in.order_id(), domain::kOrderIdBytesMax))
    return Lost("an order without an id in bounds");
  domain::OrderEntry order{.order = domain::OrderId(std::move(*in.mutable_order_id())),
                           .closed = in.closed()};
  absl::Status status = TakeSeats(*in.mutable_seat_ids(), order.seats);
  if (status.ok()) status = TakeSeats(*in.mutable_cancelled_seat_ids(), order.cancelled);
  if (!status.ok()) return status;
  return order;
}

void ToProto(const domain::RequestEntry& request, pb::RequestEntry& out) {
  ToProto(request.key, *out.mutable_key());
  out.set_revision(request.revision.value());
  out.set_commit_ms(request.commit_ms);
}

absl::StatusOr<domain::RequestEntry> FromProto(pb::RequestEntry& in) {
  absl::StatusOr<domain::RequestKey> key = FromProto(*in.mutable_key());
  if (!key.ok()) return key.status();
  if (in.revision() == 0) return Lost("a request without revision");
  if (!IsTime(in.commit_ms())) return Lost("a time out of bounds");
  return domain::RequestEntry{.key = *std::move(key),
                              .revision = domain::Revision(in.revision()),
                              .commit_ms = in.commit_ms()};
}

void ToProto(const domain::ShareEntry& share, pb::ShareEntry& out) {
  out.set_session_id(share.session.value());
  out.set_since_ms(share.since_ms);
  out.set_unseen_seats(share.unseen_seats);
  out.set_requests(share.requests);
}

absl::StatusOr<domain::ShareEntry> FromProto(pb::ShareEntry& in) {
  if (!IsId(in.session_id(), domain::kSessionIdBytesMax)) {
    return Lost("a share without a session in bounds");
  }
  if (!IsTime(in.since_ms())) return Lost("a time out of bounds");
  return domain::ShareEntry{.session = domain::SessionId(std::move(*in.mutable_session_id())),
                            .since_ms = in.since_ms(),
                            .unseen_seats = in.unseen_seats(),
                            .requests = in.requests()};
}

template <typename Value, typename Proto>
void ToProtos(const std::vector<Value>& values, Proto& out) {
  out.Reserve(static_cast<int>(values.size()));
  for (const Value& value : values) ToProto(value, *out.Add());
}

template <typename Value, typename Proto>
absl::Status FromProtos(Proto& in, std::vector<Value>& values) {
  values.reserve(in.size());
  for (auto& message : in) {
    absl::StatusOr<Value> value = FromProto(message);
    if (!value.ok()) return value.status();
    values.push_back(*std::move(value));
  }
  return absl::OkStatus();
}

template <typename Message>
bool Parse(std::string_view bytes, Message& message) {
  return bytes.size() <= std::numeric_limits<int>::max() &&
         message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

// Earlier versions wrote what a booking's order had already as whole seats, and that in
// `unchanged`.
absl::Status TakeKept(pb::Record& record, domain::Change& change) {
  if (change.cause != domain::Cause::kBook) {
    return record.kept_seat_ids().empty() ? absl::OkStatus() : Lost("kept seats without a booking");
  }
  for (domain::SeatAfter& seat : std::exchange(change.unchanged, {})) {
    change.kept.push_back(std::move(seat.seat));
  }
  return TakeSeats(*record.mutable_kept_seat_ids(), change.kept);
}

}  // namespace

std::string EncodeChange(const domain::Change& change) {
  pb::Record record;
  record.set_revision(change.revision.value());
  record.set_commit_ms(change.commit_ms);
  record.set_cause(ToProto(change.cause));
  ToProtos(change.seats, *record.mutable_seats());
  ToProtos(change.unchanged, *record.mutable_unchanged());
  record.set_order_id(change.order.value());
  record.set_order_closed(change.order_closed);
  if (change.request) ToProto(*change.request, *record.mutable_request());
  for (const domain::SeatId& seat : change.kept) record.add_kept_seat_ids(seat.value());
  record.set_principal(change.principal);
  record.set_note(change.note);
  return record.SerializeAsString();
}

absl::StatusOr<domain::Change> DecodeChange(std::string_view bytes) {
  pb::Record record;
  if (!Parse(bytes, record)) return Lost("not a record");
  const std::optional<domain::Cause> cause = FromProto(record.cause());
  if (!cause) return Lost("a cause that is not known");
  if (record.revision() == 0) return Lost("a record without revision");
  if (!IsTime(record.commit_ms())) return Lost("a time out of bounds");
  if (!IsIdOrNone(record.order_id(), domain::kOrderIdBytesMax) ||
      !IsIdOrNone(record.principal(), domain::kPrincipalBytesMax)) {
    return Lost("an id that is too long");
  }
  if (record.note().size() > domain::kNoteBytesMax) return Lost("a note that is too long");
  const bool of_order = *cause == domain::Cause::kBook || *cause == domain::Cause::kCancel;
  if (of_order == record.order_id().empty())
    return Lost("an order that does not go with the cause");
  domain::Change change{.revision = domain::Revision(record.revision()),
                        .commit_ms = record.commit_ms(),
                        .cause = *cause,
                        .order = domain::OrderId(std::move(*record.mutable_order_id())),
                        .order_closed = record.order_closed(),
                        .principal = std::move(*record.mutable_principal()),
                        .note = std::move(*record.mutable_note())};
  absl::Status status = FromProtos(*record.mutable_seats(), change.seats);
  if (status.ok()) status = FromProtos(*record.mutable_unchanged(), change.unchanged);
  if (status.ok()) status = TakeKept(record, change);
  if (!status.ok()) return status;
  if (record.has_request()) {
    absl::StatusOr<domain::RequestKey> key = FromProto(*record.mutable_request());
    if (!key.ok()) return key.status();
    change.request = *std::move(key);
  }
  return change;
}

std::string EncodeSnapshot(const domain::ShowtimeParts& parts) {
  pb::Snapshot snapshot;
  snapshot.set_revision(parts.revision.value());
  snapshot.set_commit_ms(parts.commit_ms);
  snapshot.set_closed(parts.closed);
  ToProtos(parts.seats, *snapshot.mutable_seats());
  ToProtos(parts.orders, *snapshot.mutable_orders());
  ToProtos(parts.requests, *snapshot.mutable_requests());
  ToProtos(parts.shares, *snapshot.mutable_shares());
  return snapshot.SerializeAsString();
}

absl::StatusOr<domain::ShowtimeParts> DecodeSnapshot(std::string_view bytes) {
  pb::Snapshot snapshot;
  if (!Parse(bytes, snapshot)) return Lost("not a snapshot");
  if (!IsTime(snapshot.commit_ms())) return Lost("a time out of bounds");
  domain::ShowtimeParts parts{.revision = domain::Revision(snapshot.revision()),
                              .commit_ms = snapshot.commit_ms(),
                              .closed = snapshot.closed()};
  absl::Status status = FromProtos(*snapshot.mutable_seats(), parts.seats);
  if (status.ok()) status = FromProtos(*snapshot.mutable_orders(), parts.orders);
  if (status.ok()) status = FromProtos(*snapshot.mutable_requests(), parts.requests);
  if (status.ok()) status = FromProtos(*snapshot.mutable_shares(), parts.shares);
  if (!status.ok()) return status;
  return parts;
}

}  // namespace seatlock::log

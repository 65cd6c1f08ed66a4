#include "services/seatlock/rpc/proto_encoder.h"

#include <memory>
#include <string>

#include "seatlock/v1/seatlock_service.pb.h"
#include "services/seatlock/rpc/convert.h"
#include "services/seatlock/rpc/limits.h"

namespace seatlock::rpc {
namespace {

engine::Bytes Serialize(const v1::WatchShowtimeResponse& response) {
  return std::make_shared<const std::string>(response.SerializeAsString());
}

}  // namespace

engine::Bytes ProtoEncoder::EncodeChange(const domain::ShowtimeId& showtime,
                                         const domain::Epoch& epoch,
                                         const domain::Change& change) const {
  v1::WatchShowtimeResponse response;
  v1::Change* proto = response.mutable_change();
  proto->set_showtime_id(showtime.value());
  proto->set_epoch(epoch.value());
  proto->set_revision(change.revision.value());
  SetTime(change.commit_ms, proto->mutable_commit_time());
  proto->set_cause(ToProto(change.cause));
  for (const domain::SeatAfter& seat : change.seats) SetSeat(seat, proto->add_seats());
  return Serialize(response);
}

std::vector<engine::Bytes> ProtoEncoder::EncodeSnapshot(const domain::ShowtimeId& showtime,
                                                        const domain::Epoch& epoch,
                                                        const domain::Showtime& state,
                                                        bool replaces) const {
  std::vector<engine::Bytes> messages;
  v1::WatchShowtimeResponse response;
  v1::ShowtimeSnapshot* snapshot = response.mutable_snapshot();
  snapshot->set_showtime_id(showtime.value());
  snapshot->set_epoch(epoch.value());
  snapshot->set_revision(state.revision().value());
  snapshot->set_replaces(replaces);
  size_t bytes = kEnvelopeBytesMax;
  for (const domain::SeatView& seat : state.TakenSeats()) {
    v1::Seat proto;
    SetSeat(seat, &proto);
    const size_t size = proto.ByteSizeLong() + 4;  // tag and a length of at most three bytes
    if (bytes + size > kSnapshotMessageBytesMax) {
      snapshot->set_more(true);
      messages.push_back(Serialize(response));
      snapshot->clear_seats();
      snapshot->set_more(false);
      bytes = kEnvelopeBytesMax;
    }
    bytes += size;
    snapshot->add_seats()->Swap(&proto);
  }
  messages.push_back(Serialize(response));
  return messages;
}

engine::Bytes ProtoEncoder::EncodeProgress(const engine::Position& position) const {
  v1::WatchShowtimeResponse response;
  response.mutable_progress()->set_epoch(position.epoch.value());
  response.mutable_progress()->set_revision(position.revision.value());
  return Serialize(response);
}

}  // namespace seatlock::rpc

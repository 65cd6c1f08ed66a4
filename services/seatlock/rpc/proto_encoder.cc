#include "services/seatlock/rpc/proto_encoder.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include "seatlock/v1/seatlock_service.pb.h"
#include "services/seatlock/rpc/convert.h"

namespace seatlock::rpc {
namespace {

using google::protobuf::internal::WireFormatLite;

// Appends the beginning of a field that holds `message` and `more` bytes that follow it.
void AppendField(int number, const google::protobuf::MessageLite& message, size_t more,
                 std::string& bytes) {
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.WriteTag(WireFormatLite::MakeTag(number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
  coded.WriteVarint32(static_cast<uint32_t>(message.ByteSizeLong() + more));
  message.SerializeWithCachedSizes(&coded);
}

}  // namespace

static_assert(int{v1::WatchShowtimeResponse::kSnapshotFieldNumber} ==
              int{v1::GetShowtimeResponse::kSnapshotFieldNumber});

std::string ProtoEncoder::EncodeChange(const domain::ShowtimeId& showtime,
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
  return response.SerializeAsString();
}

std::string ProtoEncoder::EncodeProgress(const engine::Position& position) const {
  v1::WatchShowtimeResponse response;
  response.mutable_progress()->set_epoch(position.epoch.value());
  response.mutable_progress()->set_revision(position.revision.value());
  return response.SerializeAsString();
}

void ProtoEncoder::AppendSeat(const domain::SeatView& seat, std::string& bytes) const {
  v1::Seat proto;
  SetSeat(seat, &proto);
  AppendField(v1::ShowtimeSnapshot::kSeatsFieldNumber, proto, 0, bytes);
}

std::string ProtoEncoder::EncodeSnapshotHead(const domain::ShowtimeId& showtime,
                                             const engine::SnapshotPart& part) const {
  v1::ShowtimeSnapshot snapshot;
  snapshot.set_showtime_id(showtime.value());
  snapshot.set_epoch(part.position.epoch.value());
  snapshot.set_revision(part.position.revision.value());
  snapshot.set_replaces(part.replaces);
  snapshot.set_more(part.more);
  std::string bytes;
  AppendField(v1::WatchShowtimeResponse::kSnapshotFieldNumber, snapshot, part.seat_bytes, bytes);
  return bytes;
}

}  // namespace seatlock::rpc

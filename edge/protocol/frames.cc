#include "edge/protocol/frames.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string>

namespace seatlock::edge {
namespace {

namespace json = boost::json;

json::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

Frame ToFrame(const json::object& object) {
  return Frame::Text(json::serialize(object));
}

std::string_view CauseWord(Cause cause) {
  switch (cause) {
    case Cause::kUnknown:
      return "";
    case Cause::kLock:
      return "lock";
    case Cause::kUnlock:
      return "unlock";
    case Cause::kSwap:
      return "swap";
    case Cause::kExtend:
      return "extend";
    case Cause::kExpired:
      return "expired";
    case Cause::kBook:
      return "book";
    case Cause::kCancel:
      return "cancel";
    case Cause::kBlock:
      return "block";
    case Cause::kUnblock:
      return "unblock";
    case Cause::kRelease:
      return "release";
  }
  return "";
}

std::string_view ErrorWord(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadJson:
      return "BAD_JSON";
    case ErrorCode::kBadField:
      return "BAD_FIELD";
    case ErrorCode::kUnknownType:
      return "UNKNOWN_TYPE";
    case ErrorCode::kTooManySubscriptions:
      return "TOO_MANY_SUBSCRIPTIONS";
    case ErrorCode::kRateLimited:
      return "RATE_LIMITED";
    case ErrorCode::kShowtimeUnavailable:
      return "SHOWTIME_UNAVAILABLE";
    case ErrorCode::kTokenRequired:
      return "TOKEN_REQUIRED";
  }
  return "";
}

json::array SeatIds(const std::vector<const Seat*>& seats, SeatStatus status) {
  json::array ids;
  for (const Seat* seat : seats) {
    if (seat->status == status) ids.emplace_back(View(seat->seat_id));
  }
  return ids;
}

}  // namespace

std::string_view StatusWord(SeatStatus status) {
  switch (status) {
    case SeatStatus::kAvailable:
      return "unlocked";
    case SeatStatus::kLocked:
      return "locked";
    case SeatStatus::kBooked:
      return "booked";
  }
  return "booked";
}

Frame ConnectionEstablishedFrame(std::string_view connection_id, int64_t now_ms) {
  return ToFrame({{"type", "connection_established"},
                  {"sessionId", View(connection_id)},
                  {"timestamp", now_ms}});
}

Frame SubscribedFrame(std::string_view showtime_id, const Position& position, bool recovered,
                      bool live, const std::vector<Seat>& your_seats, int64_t now_ms) {
  json::array seats;
  for (const Seat& seat : your_seats) {
    seats.push_back(json::object{{"seatId", View(seat.seat_id)}, {"expiresAt", seat.expires_ms}});
  }
  json::object frame = {{"type", "subscribed"},          {"showtimeId", View(showtime_id)},
                        {"timestamp", now_ms},           {"epoch", View(position.epoch)},
                        {"revision", position.revision}, {"recovered", recovered},
                        {"yourSeats", std::move(seats)}};
  if (!live) frame["live"] = false;
  return ToFrame(frame);
}

Frame CurrentSeatStatusFrame(std::string_view showtime_id, const Position& position,
                             const std::vector<const Seat*>& seats, int64_t now_ms) {
  return ToFrame({{"type", "current_seat_status"},
                  {"showtimeId", View(showtime_id)},
                  {"bookedSeats", SeatIds(seats, SeatStatus::kBooked)},
                  {"lockedSeats", SeatIds(seats, SeatStatus::kLocked)},
                  {"timestamp", now_ms},
                  {"epoch", View(position.epoch)},
                  {"revision", position.revision}});
}

std::string SeatStatusChangeText(std::string_view showtime_id, const Change& change, size_t index,
                                 bool for_holder) {
  const Seat& seat = change.seats[index];
  json::object frame{{"type", "seat_status_change"},
                     {"showtimeId", View(showtime_id)},
                     {"seatId", View(seat.seat_id)},
                     {"status", View(StatusWord(seat.status))}};
  if (for_holder) frame.emplace("sessionId", View(seat.session_id));
  frame.emplace("timestamp", change.commit_ms);
  frame.emplace("revision", change.position.revision);
  if (change.cause != Cause::kUnknown) frame.emplace("cause", View(CauseWord(change.cause)));
  if (for_holder && seat.status == SeatStatus::kLocked) {
    frame.emplace("expiresAt", seat.expires_ms);
  }
  if (index + 1 < change.seats.size()) frame.emplace("more", true);
  // Who was there before the first change learns the epoch from it.
  if (change.position.revision == 1) frame.emplace("epoch", View(change.position.epoch));
  return json::serialize(frame);
}

std::string SeatChangesText(std::string_view showtime_id, const Position& position,
                            const std::vector<const Seat*>& seats, std::string_view session_id) {
  json::array changes;
  for (const Seat* seat : seats) {
    json::array change{View(seat->seat_id), View(StatusWord(seat->status))};
    const bool own = !session_id.empty() && seat->session_id == session_id;
    if (own && seat->status == SeatStatus::kLocked) change.emplace_back(seat->expires_ms);
    changes.push_back(std::move(change));
  }
  return json::serialize(json::object{{"type", "seat_changes"},
                                      {"showtimeId", View(showtime_id)},
                                      {"epoch", View(position.epoch)},
                                      {"revision", position.revision},
                                      {"changes", std::move(changes)}});
}

Frame UnsubscribedFrame(const std::optional<std::string>& showtime_id, int64_t now_ms) {
  json::object frame{{"type", "unsubscribed"}};
  if (showtime_id) frame.emplace("showtimeId", *showtime_id);
  frame.emplace("timestamp", now_ms);
  return ToFrame(frame);
}

Frame PongFrame(int64_t now_ms) {
  return ToFrame({{"type", "pong"}, {"timestamp", now_ms}});
}

Frame HeartbeatFrame(int64_t now_ms) {
  return ToFrame({{"type", "heartbeat"}, {"timestamp", now_ms}});
}

Frame StreamStatusFrame(std::string_view showtime_id, bool live, int64_t now_ms) {
  return ToFrame({{"type", "stream_status"},
                  {"showtimeId", View(showtime_id)},
                  {"live", live},
                  {"timestamp", now_ms}});
}

Frame ErrorFrame(const CommandError& error) {
  json::object frame{
      {"type", "error"}, {"code", View(ErrorWord(error.code))}, {"message", error.message}};
  if (error.showtime_id) frame.emplace("showtimeId", *error.showtime_id);
  if (error.retry_after_ms) frame.emplace("retryAfterMs", *error.retry_after_ms);
  return ToFrame(frame);
}

}  // namespace seatlock::edge

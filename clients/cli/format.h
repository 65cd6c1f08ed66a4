// What seatctl prints, as text: tables for people, one line of JSON for programs. Pure functions.
#pragma once

#include <string>

#include "clients/cli/args.h"
#include "seatlock/call_error.h"
#include "seatlock/v1/seatlock_service.pb.h"
#include "seatlock/watch.h"

namespace seatlock::cli {

// Any message as one line of JSON (proto3's mapping, fields with default values included).
std::string JsonLine(const google::protobuf::Message& message);

// Locks as a table, with the time left at `server_time`.
std::string LocksTable(const google::protobuf::RepeatedPtrField<v1::Lock>& locks,
                       const google::protobuf::Timestamp& server_time);
std::string ShowtimeTable(const v1::ShowtimeSnapshot& snapshot, bool color);
// A line a showtime; a number that the service cannot tell (a damaged history) is "?".
std::string ShowtimesTable(const v1::ListShowtimesResponse& response);
std::string OrderTable(const std::string& order, const v1::GetOrderResponse& response);

// One event of a watch: a line a seat. Progress is no line, but for the first.
std::string EventTable(const client::Watch::Event& event, bool first, bool color);
std::string EventJson(const client::Watch::Event& event);

// The failure of a command, and what to do next.
std::string ErrorText(const Args& args, const client::CallError& error);
std::string ErrorJson(const client::CallError& error);
int ExitCodeOf(const client::CallError& error);

// "locked" and so on.
std::string StatusWord(v1::SeatStatus status);

}  // namespace seatlock::cli

#include "clients/cli/commands.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clients/cli/format.h"
#include "common/runtime/signals.h"
#include "seatlock/client.h"

namespace seatlock::cli {
namespace {

using client::CallError;
using client::Client;
using client::Watch;
using std::chrono::milliseconds;

// False where nobody reads any more.
bool Print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return std::fflush(stdout) == 0;
}

int Fail(const Args& args, const absl::Status& status) {
  const CallError error = client::ErrorOf(status);
  const std::string text = args.json ? ErrorJson(error) : ErrorText(args, error);
  std::fputs(text.c_str(), stderr);
  return ExitCodeOf(error);
}

// Colors are for terminals, and for those who did not opt out (no-color.org).
bool UseColor() {
  const char* no_color = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
}

void SetDuration(int64_t ms, google::protobuf::Duration* duration) {
  duration->set_seconds(ms / 1000);
  duration->set_nanos(static_cast<int32_t>(ms % 1000 * 1'000'000));
}

// Fills in the fields that the requests have in common.
template <typename Request>
Request MakeRequest(const Args& args) {
  Request request;
  request.set_showtime_id(args.showtime);
  if constexpr (requires { request.mutable_seat_ids(); }) {
    *request.mutable_seat_ids() = {args.seats.begin(), args.seats.end()};
  }
  if constexpr (requires { request.set_session_id(""); }) request.set_session_id(args.session);
  if constexpr (requires { request.set_order_id(""); }) request.set_order_id(args.order);
  if constexpr (requires { request.set_request_id(""); }) request.set_request_id(args.request_id);
  if constexpr (requires { request.set_all(true); }) request.set_all(args.all);
  if constexpr (requires { request.mutable_ttl(); }) {
    if (args.ttl_ms.has_value()) SetDuration(*args.ttl_ms, request.mutable_ttl());
  }
  return request;
}

// Prints the answer, as JSON or as `table` makes it.
template <typename Response, typename Table>
int Answer(const Args& args, const absl::StatusOr<Response>& response, Table table) {
  if (!response.ok()) return Fail(args, response.status());
  Print(args.json ? JsonLine(*response) : table(*response));
  return kExitOk;
}

int Lock(const Args& args, Client& client) {
  auto request = MakeRequest<v1::LockSeatsRequest>(args);
  *request.mutable_release_seat_ids() = {args.release.begin(), args.release.end()};
  request.set_max_session_seats(args.max_session_seats);
  return Answer(args, client.LockSeats(std::move(request)), [](const auto& response) {
    return LocksTable(response.locks(), response.server_time());
  });
}

int Unlock(const Args& args, Client& client) {
  return Answer(args, client.UnlockSeats(MakeRequest<v1::UnlockSeatsRequest>(args)),
                [](const auto& response) {
                  return absl::StrCat("unlocked at revision ", response.revision(), "\n");
                });
}

int Extend(const Args& args, Client& client) {
  return Answer(
      args, client.ExtendLocks(MakeRequest<v1::ExtendLocksRequest>(args)),
      [](const auto& response) { return LocksTable(response.locks(), response.server_time()); });
}

int Book(const Args& args, Client& client) {
  auto request = MakeRequest<v1::BookSeatsRequest>(args);
  request.mutable_fences()->insert(args.fences.begin(), args.fences.end());
  request.set_only_held(args.only_held);
  request.set_add_to_order(args.add_to_order);
  return Answer(args, client.BookSeats(std::move(request)), [&args](const auto& response) {
    return absl::StrCat("booked ", absl::StrJoin(response.booked_seat_ids(), " "), " under order ",
                        args.order, " at revision ", response.revision(), "\n");
  });
}

int Cancel(const Args& args, Client& client) {
  auto request = MakeRequest<v1::CancelBookingRequest>(args);
  request.set_tombstone(args.tombstone);
  return Answer(args, client.CancelBooking(std::move(request)), [](const auto& response) {
    return absl::StrCat("cancelled at revision ", response.revision(), "\n");
  });
}

int Get(const Args& args, Client& client) {
  if (!args.order.empty()) {
    return Answer(args, client.GetOrder(MakeRequest<v1::GetOrderRequest>(args)),
                  [&args](const auto& response) { return OrderTable(args.order, response); });
  }
  return Answer(args, client.GetShowtime(MakeRequest<v1::GetShowtimeRequest>(args)),
                [](const auto& r) { return ShowtimeTable(r.snapshot(), UseColor()); });
}

int Locks(const Args& args, Client& client) {
  return Answer(args, client.ListSessionLocks(MakeRequest<v1::ListSessionLocksRequest>(args)),
                [](const auto& r) { return LocksTable(r.locks(), r.server_time()); });
}

// All pages put together, as far as the limit; where it cuts, the token of what follows stays.
absl::StatusOr<v1::ListShowtimesResponse> ListAll(const Args& args, Client& client) {
  v1::ListShowtimesResponse all;
  for (uint64_t page = 0; page < kListPagesMax; ++page) {
    const uint64_t left = args.limit - static_cast<uint64_t>(all.showtimes_size());
    v1::ListShowtimesRequest request;
    request.set_page_size(
        static_cast<int32_t>(std::min(left, static_cast<uint64_t>(args.page_size))));
    request.set_page_token(all.next_page_token());
    absl::StatusOr<v1::ListShowtimesResponse> response = client.ListShowtimes(request);
    if (!response.ok()) return response.status();
    all.mutable_showtimes()->MergeFrom(response->showtimes());
    all.set_next_page_token(response->next_page_token());
    if (static_cast<uint64_t>(all.showtimes_size()) >= args.limit) break;
    if (all.next_page_token().empty()) break;
  }
  return all;
}

int List(const Args& args, Client& client) {
  return Answer(args, ListAll(args, client), &ShowtimesTable);
}

// Tells once that the connection is gone, and once that it is back.
class ConnectionNotes {
 public:
  void Note(const absl::Status& failure) {
    if (failure.ok() == lost_) {
      lost_ = !failure.ok();
      const std::string text =
          lost_ ? absl::StrCat("seatctl: connection lost (", failure.message(), "); trying again\n")
                : "seatctl: connected again; what was missed follows\n";
      std::fputs(text.c_str(), stderr);
    }
  }

 private:
  bool lost_ = false;
};

int PrintEvents(const Args& args, Watch& watch) {
  const bool color = UseColor();
  // Often enough to tell soon that the connection is gone.
  constexpr milliseconds kLook(500);
  const auto give_up = std::chrono::steady_clock::now() + milliseconds(args.timeout_ms);
  ConnectionNotes notes;
  bool first = true;
  while (true) {
    const absl::StatusOr<Watch::Event> event = watch.Next(kLook);
    if (absl::IsCancelled(event.status())) return kExitOk;
    if (event.ok()) {
      const std::string text = args.json ? EventJson(*event) : EventTable(*event, first, color);
      first = false;
      if (!Print(text)) return kExitOk;
    } else if (!absl::IsDeadlineExceeded(event.status())) {
      return Fail(args, event.status());
    } else if (first && std::chrono::steady_clock::now() >= give_up) {
      const absl::Status failure = watch.Failure();
      return Fail(args, failure.ok() ? event.status() : failure);
    }
    if (!first) notes.Note(watch.Failure());
  }
}

// Ends the watch on a signal.
int WatchUntilSignal(const Args& args, runtime::Signals& signals, Client& client) {
  auto request = MakeRequest<v1::WatchShowtimeRequest>(args);
  if (args.resume.has_value()) *request.mutable_resume() = *args.resume;
  const std::unique_ptr<Watch> watch = client.WatchShowtime(std::move(request));
  std::thread canceller([&] {
    signals.Wait();
    watch->Cancel();
  });
  const int code = PrintEvents(args, *watch);
  signals.Notify();
  canceller.join();
  return code;
}

}  // namespace

int Run(const Args& args) {
  if (args.run != nullptr) return args.run(args);
  client::ClientOptions options;
  options.servers = args.servers;
  options.tls = args.tls;
  options.timeout = milliseconds(args.timeout_ms);
  options.attempt_timeout = std::min(options.attempt_timeout, options.timeout);
  if (args.command == Command::kWatch) {
    runtime::Signals signals;  // before gRPC starts its threads
    Client client(options);
    return WatchUntilSignal(args, signals, client);
  }
  Client client(options);
  switch (args.command) {
    case Command::kLock:
      return Lock(args, client);
    case Command::kUnlock:
      return Unlock(args, client);
    case Command::kExtend:
      return Extend(args, client);
    case Command::kBook:
      return Book(args, client);
    case Command::kCancel:
      return Cancel(args, client);
    case Command::kGet:
      return Get(args, client);
    case Command::kLocks:
      return Locks(args, client);
    case Command::kList:
      return List(args, client);
    case Command::kWatch:
      break;
  }
  return kExitUsage;
}

}  // namespace seatlock::cli

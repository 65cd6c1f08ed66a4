#include "clients/cli/admin.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clients/cli/answer.h"
#include "clients/cli/args.h"
#include "seatlock/client.h"

namespace seatlock::cli {
namespace {

using client::Client;

// What CLI11 fills in.
struct Raw {
  Args args;
  bool release_locks = false;
  std::string note;
};

using RunAdmin = int (*)(const Raw&, Client&);

std::string At(uint64_t revision) {
  return absl::StrCat(" at revision ", revision, "\n");
}

int Block(const Raw& raw, Client& client) {
  auto request = MakeRequest<v1::BlockSeatsRequest>(raw.args);
  request.set_release_locks(raw.release_locks);
  request.set_note(raw.note);
  return Answer(raw.args, client.BlockSeats(std::move(request)), [&raw](const auto& response) {
    return absl::StrCat("blocked ", absl::StrJoin(raw.args.seats, " "), At(response.revision()));
  });
}

int Unblock(const Raw& raw, Client& client) {
  return Answer(raw.args, client.UnblockSeats(MakeRequest<v1::UnblockSeatsRequest>(raw.args)),
                [&raw](const auto& response) {
                  return absl::StrCat("not blocked: ", absl::StrJoin(raw.args.seats, " "),
                                      At(response.revision()));
                });
}

int Release(const Raw& raw, Client& client) {
  return Answer(raw.args, client.ReleaseSeats(MakeRequest<v1::ReleaseSeatsRequest>(raw.args)),
                [](const auto& response) {
                  const auto& seats = response.released_seat_ids();
                  if (seats.empty()) return absl::StrCat("no locks", At(response.revision()));
                  return absl::StrCat("took the locks of ", absl::StrJoin(seats, " "),
                                      At(response.revision()));
                });
}

int SetClosed(const Raw& raw, Client& client, bool reopen) {
  auto request = MakeRequest<v1::CloseShowtimeRequest>(raw.args);
  request.set_reopen(reopen);
  return Answer(raw.args, client.CloseShowtime(std::move(request)),
                [&raw, reopen](const auto& response) {
                  return absl::StrCat("showtime ", raw.args.showtime,
                                      reopen ? " is open" : " is closed", At(response.revision()));
                });
}

int Close(const Raw& raw, Client& client) {
  return SetClosed(raw, client, false);
}

int Reopen(const Raw& raw, Client& client) {
  return SetClosed(raw, client, true);
}

int Delete(const Raw& raw, Client& client) {
  return Answer(
      raw.args, client.DeleteShowtime(MakeRequest<v1::DeleteShowtimeRequest>(raw.args)),
      [&raw](const auto&) { return absl::StrCat("deleted showtime ", raw.args.showtime, "\n"); });
}

CLI::App* Add(CLI::App* admin, Raw* raw, const char* name, const char* what) {
  CLI::App* command = admin->add_subcommand(name, what);
  command->add_option("SHOWTIME", raw->args.showtime, "the showtime's id")->required();
  return command;
}

CLI::Option* AddSeats(CLI::App* command, Raw* raw) {
  return command->add_option("SEAT", raw->args.seats, "seat ids, such as A06");
}

void AddRequestId(CLI::App* command, Raw* raw) {
  command->add_option("--request-id", raw->args.request_id,
                      "makes repeating the command safe [a new UUID]");
}

CLI::App* AddAll(CLI::App* app, Raw* raw) {
  CLI::App* admin = app->add_subcommand("admin", "Block seats, take locks away, close and delete");
  admin->require_subcommand(1);

  CLI::App* block = Add(admin, raw, "block", "Withhold seats from sale, all or none");
  AddSeats(block, raw)->required();
  block->add_flag("--release-locks", raw->release_locks, "take the locks of these seats away");
  block->add_option("--note", raw->note, "why, for whoever reads the history");
  AddRequestId(block, raw);

  CLI::App* unblock = Add(admin, raw, "unblock", "Put blocked seats on sale again");
  AddSeats(unblock, raw)->required();
  AddRequestId(unblock, raw);

  CLI::App* release = Add(admin, raw, "release", "Take locks away, never a booking");
  CLI::Option* seats = AddSeats(release, raw);
  release->add_option("--session", raw->args.session, "all that this session holds")
      ->excludes(seats);
  AddRequestId(release, raw);

  AddRequestId(Add(admin, raw, "close", "End the sale; only held seats can still be booked"), raw);
  AddRequestId(Add(admin, raw, "reopen", "Take the sale up again"), raw);
  Add(admin, raw, "delete", "Delete a showtime with all that was sold; there is no way back");
  return admin;
}

constexpr std::pair<const char*, RunAdmin> kAdminCommands[] = {
    {"block", Block}, {"unblock", Unblock}, {"release", Release},
    {"close", Close}, {"reopen", Reopen},   {"delete", Delete},
};

int RunWith(RunAdmin run, Raw raw, const CommonArgs& common) {
  static_cast<CommonArgs&>(raw.args) = common;
  raw.args.command = Command::kAdmin;
  Client client(ClientOptionsOf(common));
  return run(raw, client);
}

// What is wrong, in one line; empty: nothing.
std::string Complete(Raw* raw, bool releases, bool deletes) {
  if (!deletes && raw->args.request_id.empty()) raw->args.request_id = client::MakeRequestId();
  const bool named = !raw->args.seats.empty() || !raw->args.session.empty();
  return releases && !named ? "name the seats, or use --session" : "";
}

}  // namespace

FindNamed AddAdminCommands(CLI::App* app) {
  auto raw = std::make_shared<Raw>();
  return [raw, app, admin = AddAll(app, raw.get())]() -> Named {
    if (!app->got_subcommand(admin)) return {};
    std::string wrong =
        Complete(raw.get(), admin->got_subcommand("release"), admin->got_subcommand("delete"));
    for (const auto& [name, run] : kAdminCommands) {
      if (!admin->got_subcommand(name)) continue;
      return {std::move(wrong), [run = run, raw = *raw](const CommonArgs& common) {
                return RunWith(run, raw, common);
              }};
    }
    return {};
  };
}

}  // namespace seatlock::cli

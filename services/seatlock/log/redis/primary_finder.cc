#include "services/seatlock/log/redis/primary_finder.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/look_up.h"
#include "services/seatlock/log/redis/limits.h"
#include "services/seatlock/log/redis/replies.h"
#include "services/seatlock/log/redis/telling.h"

namespace seatlock::log {
namespace {

// Blocks.
absl::StatusOr<std::string> LookUp(const std::string& host) {
  absl::StatusOr<std::vector<std::string>> addresses = base::LookUpHost(host);
  if (addresses.ok()) return addresses->front();
  return absl::UnavailableError(absl::StrCat("redis ", host, ": ", addresses.status().message()));
}

std::vector<std::string> TextsOf(const redisReply& reply) {
  std::vector<std::string> texts;
  if (reply.type != REDIS_REPLY_ARRAY) return texts;
  for (size_t i = 0; i < reply.elements; ++i) texts.emplace_back(TextOf(*reply.element[i]));
  return texts;
}

}  // namespace

PrimaryFinder::PrimaryFinder(EventLoop& loop, const RedisOptions& options)
    : loop_(loop), options_(options) {
  if (options_.sentinel.empty()) return;
  for (const RedisAddress& address : options_.addresses) {
    sentinels_.emplace_back().address = address;
  }
}

void PrimaryFinder::Find(FoundCallback done) {
  done_ = std::move(done);
  if (!options_.sentinel.empty()) return AskAll();
  Resolve(options_.addresses[next_++ % options_.addresses.size()],
          [this](absl::StatusOr<Found> found) { Finish(std::move(found)); });
}

void PrimaryFinder::Follow(const Found& found) {
  followed_ = found;
}

void PrimaryFinder::Resolve(RedisAddress address, FoundCallback done) {
  if (base::IsHostAddress(address.host)) {
    loop_.Post([alive = std::weak_ptr<bool>(alive_), address, done = std::move(done)]() mutable {
      if (!alive.expired()) std::move(done)(Found{address, address.host});
    });
    return;
  }
  names_.Post(
      [this, alive = std::weak_ptr<bool>(alive_), address, done = std::move(done)]() mutable {
        absl::StatusOr<std::string> ip = LookUp(address.host);
        loop_.Post([alive, address, ip = std::move(ip), done = std::move(done)]() mutable {
          if (alive.expired()) return;
          if (!ip.ok()) return std::move(done)(ip.status());
          std::move(done)(Found{address, *std::move(ip)});
        });
      });
}

void PrimaryFinder::AskAll() {
  ++round_;
  named_.clear();
  error_ = absl::OkStatus();
  for (Sentinel& sentinel : sentinels_) {
    sentinel.owes = true;
    // A name that was asked for in an earlier round is still being looked up: that is one question,
    // however many rounds there are.
    if (!std::exchange(sentinel.looked_up, false)) continue;
    Resolve(sentinel.address, [this, &sentinel](absl::StatusOr<Found> found) {
      sentinel.looked_up = true;
      if (!found.ok()) return OnAnswer(sentinel, found.status());
      if (sentinel.owes) Ask(sentinel, found->ip);
    });
  }
}

void PrimaryFinder::Ask(Sentinel& sentinel, const std::string& ip) {
  Connection::Handlers handlers;
  handlers.on_lost = [this, &sentinel](absl::Status why) { OnAnswer(sentinel, std::move(why)); };
  sentinel.connection =
      std::make_unique<Connection>(loop_, *options_.clock, ip, sentinel.address.port,
                                   Connection::Login{.user = options_.user,
                                                     .password = options_.password,
                                                     .database = Connection::kNoDatabase},
                                   std::move(handlers));
  sentinel.connection->Send(Command{"SENTINEL", "GET-MASTER-ADDR-BY-NAME", options_.sentinel},
                            [this, &sentinel](const redisReply* reply) {
                              if (reply == nullptr) return;
                              if (reply->type == REDIS_REPLY_ERROR) {
                                return OnAnswer(sentinel, SentinelError(TextOf(*reply)));
                              }
                              sentinel.names = TextsOf(*reply);
                            });
  sentinel.connection->Send(
      Command{"SENTINEL", "MASTER", options_.sentinel}, [this, &sentinel](const redisReply* reply) {
        if (reply == nullptr) return;
        OnAnswer(sentinel, ReadNamed(sentinel.names, TextsOf(*reply), options_.sentinel));
      });
}

void PrimaryFinder::OnAnswer(Sentinel& sentinel, absl::StatusOr<NamedPrimary> named) {
  if (!std::exchange(sentinel.owes, false)) return;
  if (named.ok()) {
    if (named_.empty()) first_answer_ms_ = options_.clock->MonotonicMs();
    named_.push_back(*std::move(named));
  } else {
    KeepTelling(error_, Reworded(named.status(), absl::StrCat("sentinel ", sentinel.address.host,
                                                              ":", sentinel.address.port, ": ",
                                                              named.status().message())));
  }
  for (const Sentinel& each : sentinels_) {
    if (each.owes) return;
  }
  // It may be in the midst of one of a connection's callbacks.
  loop_.Post([this, alive = std::weak_ptr<bool>(alive_), round = round_] {
    if (!alive.expired() && round == round_) Decide();
  });
}

void PrimaryFinder::Decide() {
  ++round_;
  for (Sentinel& sentinel : sentinels_) {
    sentinel.owes = false;
    sentinel.connection.reset();
  }
  if (named_.empty()) return Finish(error_);
  const NamedPrimary newest = NewestOf(std::exchange(named_, {}));
  if (newest.epoch < followed_.epoch && newest.address != followed_.address) {
    return Finish(absl::UnavailableError(absl::StrCat(
        "the sentinels that answer name redis ", newest.address.host, ":", newest.address.port,
        " of failover ", newest.epoch, ", older than failover ", followed_.epoch,
        " which was served: they were cut off, or set up anew (then restart this server)")));
  }
  Resolve(newest.address, [this, epoch = newest.epoch](absl::StatusOr<Found> found) {
    if (found.ok()) found->epoch = epoch;
    Finish(std::move(found));
  });
}

void PrimaryFinder::Finish(absl::StatusOr<Found> found) {
  if (!done_) return;
  FoundCallback done = std::exchange(done_, nullptr);
  std::move(done)(std::move(found));
}

void PrimaryFinder::CheckSilence() {
  for (Sentinel& sentinel : sentinels_) {
    if (sentinel.connection != nullptr) sentinel.connection->CheckSilence(kRedisSilenceMs);
  }
  if (named_.empty()) return;
  if (options_.clock->MonotonicMs() - first_answer_ms_ >= kSentinelPatienceMs) Decide();
}

}  // namespace seatlock::log

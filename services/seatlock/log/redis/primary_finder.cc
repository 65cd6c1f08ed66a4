#include "services/seatlock/log/redis/primary_finder.h"

#include <hiredis/hiredis.h>

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/look_up.h"
#include "services/seatlock/log/redis/replies.h"

namespace seatlock::log {
namespace {

// Blocks.
absl::StatusOr<std::string> LookUp(const std::string& host) {
  absl::StatusOr<std::vector<std::string>> addresses = base::LookUpHost(host);
  if (addresses.ok()) return addresses->front();
  return absl::UnavailableError(absl::StrCat("redis ", host, ": ", addresses.status().message()));
}

}  // namespace

PrimaryFinder::PrimaryFinder(EventLoop& loop, const RedisOptions& options)
    : loop_(loop), options_(options) {}

void PrimaryFinder::Find(FoundCallback done) {
  done_ = std::move(done);
  sentinel_.reset();
  const RedisAddress address = options_.addresses[next_++ % options_.addresses.size()];
  Resolve(address, [this](absl::StatusOr<Found> found) {
    if (!found.ok() || options_.sentinel.empty()) return Finish(std::move(found));
    AskSentinel(*found);
  });
}

void PrimaryFinder::Resolve(RedisAddress address,
                            absl::AnyInvocable<void(absl::StatusOr<Found>) &&> done) {
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

void PrimaryFinder::AskSentinel(const Found& sentinel) {
  asked_ = sentinel.address;
  Connection::Handlers handlers;
  handlers.on_lost = [this](absl::Status why) {
    loop_.Post([this, alive = std::weak_ptr<bool>(alive_), why = std::move(why)] {
      if (!alive.expired())
        Finish(absl::UnavailableError(absl::StrCat("sentinel: ", why.message())));
    });
  };
  sentinel_ =
      std::make_unique<Connection>(loop_, *options_.clock, sentinel.ip, sentinel.address.port,
                                   Connection::Login{.user = options_.user,
                                                     .password = options_.password,
                                                     .database = Connection::kNoDatabase},
                                   std::move(handlers));
  sentinel_->Send(Command{"SENTINEL", "GET-MASTER-ADDR-BY-NAME", options_.sentinel},
                  [this](const redisReply* reply) { OnSentinelAnswer(reply); });
}

void PrimaryFinder::OnSentinelAnswer(const redisReply* reply) {
  if (reply == nullptr) return;
  absl::StatusOr<Found> found = absl::UnavailableError(absl::StrCat(
      "sentinel ", asked_.host, ":", asked_.port, " knows no primary ", options_.sentinel));
  uint32_t port = 0;
  if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
      absl::SimpleAtoi(TextOf(*reply->element[1]), &port) && port <= 65'535) {
    const RedisAddress primary{std::string(TextOf(*reply->element[0])),
                               static_cast<uint16_t>(port)};
    return Resolve(primary,
                   [this](absl::StatusOr<Found> resolved) { Finish(std::move(resolved)); });
  }
  loop_.Post([this, alive = std::weak_ptr<bool>(alive_), found = std::move(found)]() mutable {
    if (!alive.expired()) Finish(std::move(found));
  });
}

void PrimaryFinder::Finish(absl::StatusOr<Found> found) {
  sentinel_.reset();
  if (!done_) return;
  FoundCallback done = std::exchange(done_, nullptr);
  std::move(done)(std::move(found));
}

void PrimaryFinder::CheckSilence() {
  if (sentinel_ != nullptr) sentinel_->CheckSilence(kRedisSilenceMs);
}

}  // namespace seatlock::log

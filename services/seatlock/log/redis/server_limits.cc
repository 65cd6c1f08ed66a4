#include "services/seatlock/log/redis/server_limits.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/seatlock/log/redis/primary.h"

namespace seatlock::log {
namespace {

// Short: a server that stops waits for the question that is under way.
constexpr int64_t kLimitsTimeoutMs = 1000;

struct Start {
  std::string id;
  int64_t at_ms = 0;
  std::string limits;
};

// The other starts that are kept, the newest first.
std::vector<Start> OthersIn(const RedisReply& hash, const std::string& own) {
  std::vector<Start> others;
  const std::vector<std::string> texts = hash.Texts();
  for (size_t i = 0; i + 1 < texts.size(); i += 2) {
    if (texts[i] == own) continue;
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(texts[i + 1], absl::MaxSplits(' ', 1));
    Start start{.id = texts[i], .at_ms = 0, .limits = parts.second};
    if (!absl::SimpleAtoi(parts.first, &start.at_ms)) start.at_ms = 0;
    others.push_back(std::move(start));
  }
  std::sort(others.begin(), others.end(), [](const Start& a, const Start& b) {
    return std::pair(a.at_ms, a.id) > std::pair(b.at_ms, b.id);
  });
  return others;
}

}  // namespace

absl::StatusOr<std::optional<std::string>> NoteServerLimits(const RedisOptions& options,
                                                            const std::string& id,
                                                            const std::string& limits,
                                                            int64_t now_ms) {
  absl::StatusOr<Primary> primary = ConnectToPrimary(options, kLimitsTimeoutMs);
  if (!primary.ok()) return primary.status();
  SyncClient& client = primary->client;
  const std::string key = absl::StrCat("{", options.prefix, ":meta}:servers");
  // Written before it is read, so that of two that start together one sees the other at least.
  absl::StatusOr<RedisReply> answer =
      client.Command({"HSET", key, id, absl::StrCat(now_ms, " ", limits)});
  if (!answer.ok()) return answer.status();
  answer = client.Command({"HGETALL", key});
  if (!answer.ok()) return answer.status();
  const std::vector<Start> others = OthersIn(*answer, id);
  for (size_t i = kServerStartsKept - 1; i < others.size(); ++i) {
    answer = client.Command({"HDEL", key, others[i].id});
    if (!answer.ok()) return answer.status();
  }
  if (others.empty() || others[0].limits == limits) return std::optional<std::string>();
  return std::optional<std::string>(others[0].limits);
}

}  // namespace seatlock::log

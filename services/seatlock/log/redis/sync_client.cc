#include "services/seatlock/log/redis/sync_client.h"

#include <errno.h>
#include <hiredis/hiredis.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/seatlock/log/redis/telling.h"

namespace seatlock::log {
namespace {

timeval TimevalOf(int64_t ms) {
  return {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

absl::Status Broken(const redisContext& context) {
  if (context.err == REDIS_ERR_PROTOCOL) {
    return absl::FailedPreconditionError(kNoRedis);
  }
  // hiredis tells a timeout in the words for a socket that has nothing now.
  const bool timeout = context.err == 0 || (context.err == REDIS_ERR_IO && errno == EAGAIN);
  return absl::UnavailableError(timeout ? "no answer in time" : context.errstr);
}

absl::Status ErrorOf(absl::string_view text) {
  for (const char* denied : {"NOAUTH", "WRONGPASS", "NOPERM"}) {
    if (absl::StartsWith(text, denied)) return absl::PermissionDeniedError(text);
  }
  return absl::FailedPreconditionError(text);
}

RedisReply ReplyOf(const redisReply& reply) {
  RedisReply result;
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
      result.text = absl::StrCat(reply.integer);
      break;
    case REDIS_REPLY_ARRAY:
      for (size_t i = 0; i < reply.elements; ++i) {
        result.elements.push_back(ReplyOf(*reply.element[i]));
      }
      break;
    case REDIS_REPLY_NIL:
      break;
    default:  // strings, statuses, and errors inside of an array
      result.text = std::string(reply.str, reply.len);
  }
  return result;
}

}  // namespace

std::vector<std::string> RedisReply::Texts() const {
  std::vector<std::string> texts;
  for (const RedisReply& element : elements) texts.push_back(element.text.value_or(""));
  return texts;
}

void SyncClient::Freed::operator()(redisContext* context) const {
  redisFree(context);
}

absl::StatusOr<SyncClient> SyncClient::Connect(const RedisAddress& address, const std::string& user,
                                               const std::string& password, int64_t timeout_ms) {
  std::unique_ptr<redisContext, Freed> context(
      redisConnectWithTimeout(address.host.c_str(), address.port, TimevalOf(timeout_ms)));
  if (context == nullptr) return absl::UnavailableError("no memory for a connection");
  if (context->err != 0) return Broken(*context);
  redisSetTimeout(context.get(), TimevalOf(timeout_ms));
  SyncClient client(std::move(context));
  if (password.empty()) return client;
  std::vector<std::string> auth = {"AUTH"};
  if (!user.empty()) auth.push_back(user);
  auth.push_back(password);
  const absl::StatusOr<RedisReply> answer = client.Command(auth);
  if (answer.ok() || absl::StrContains(answer.status().message(), "without any password")) {
    return client;
  }
  return ForOperators(answer.status(), password);
}

void SyncClient::Queue(const std::vector<std::string>& words) {
  std::vector<const char*> texts;
  std::vector<size_t> sizes;
  for (const std::string& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  // Fails without memory alone; the answer that then never comes is noticed.
  redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), texts.data(),
                         sizes.data());
}

absl::StatusOr<RedisReply> SyncClient::Next() {
  void* answer = nullptr;
  if (redisGetReply(context_.get(), &answer) != REDIS_OK || answer == nullptr) {
    // Whether a close or a reset comes is chance.
    const bool closed =
        context_->err == REDIS_ERR_EOF || (context_->err == REDIS_ERR_IO && errno != EAGAIN);
    return closed && !was_answered_ ? absl::UnavailableError(kClosesAtOnce) : Broken(*context_);
  }
  was_answered_ = true;
  const std::unique_ptr<redisReply, void (*)(void*)> reply(static_cast<redisReply*>(answer),
                                                           freeReplyObject);
  if (reply->type == REDIS_REPLY_ERROR) return ErrorOf({reply->str, reply->len});
  return ReplyOf(*reply);
}

absl::StatusOr<RedisReply> SyncClient::Command(const std::vector<std::string>& words) {
  Queue(words);
  return Next();
}

absl::Status SyncClient::Pipeline(const std::vector<std::vector<std::string>>& commands) {
  for (const std::vector<std::string>& words : commands) Queue(words);
  absl::Status first;
  for (size_t i = 0; i < commands.size(); ++i) {
    const absl::StatusOr<RedisReply> answer = Next();
    if (first.ok()) first = answer.status();
    if (absl::IsUnavailable(answer.status())) return answer.status();
  }
  return first;
}

absl::Status SyncClient::Transaction(const std::vector<std::vector<std::string>>& commands) {
  std::vector<std::vector<std::string>> all = {{"MULTI"}};
  all.insert(all.end(), commands.begin(), commands.end());
  all.push_back({"EXEC"});
  return Pipeline(all);
}

std::string TextOf(const RedisAddress& address) {
  const bool v6 = absl::StrContains(address.host, ':');
  return absl::StrCat(v6 ? "[" : "", address.host, v6 ? "]:" : ":", address.port);
}

}  // namespace seatlock::log

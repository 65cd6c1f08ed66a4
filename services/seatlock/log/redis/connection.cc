#include "services/seatlock/log/redis/connection.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/seatlock/log/redis/telling.h"

namespace seatlock::log {
namespace {

Connection* Self(const redisAsyncContext* context) {
  return static_cast<Connection*>(context->data);
}

absl::string_view TextOf(const redisReply& reply) {
  return {reply.str, reply.len};
}

}  // namespace

Connection::Connection(EventLoop& loop, const base::Clock& clock, const std::string& ip,
                       uint16_t port, Login login, Handlers handlers)
    : loop_(loop),
      clock_(clock),
      handlers_(std::move(handlers)),
      name_(absl::StrCat("redis ", ip, ":", port)),
      heard_ms_(clock.MonotonicMs()) {
  context_ = redisAsyncConnect(ip.c_str(), port);
  if (context_ == nullptr || context_->err != 0) {
    const char* const why = context_ == nullptr ? "no memory" : context_->errstr;
    // CheckSilence tells: the owner does not expect to be called in the constructor.
    why_lost_ = Unreachable(name_, why);
    if (context_ != nullptr) redisAsyncFree(std::exchange(context_, nullptr));
    return;
  }
  Attach();
  LogIn(login);
}

Connection::~Connection() {
  handlers_ = {};
  if (context_ != nullptr) redisAsyncFree(context_);  // calls OnCleanup
}

void Connection::Attach() {
  context_->data = this;
  socket_.fd = context_->c.fd;
  socket_.on_readable = [this] { redisAsyncHandleRead(context_); };
  socket_.on_writable = [this] { redisAsyncHandleWrite(context_); };
  loop_.Watch(&socket_);

  context_->ev.data = this;
  context_->ev.addRead = [](void* data) {
    static_cast<Connection*>(data)->socket_.wants_read = true;
  };
  context_->ev.delRead = [](void* data) {
    static_cast<Connection*>(data)->socket_.wants_read = false;
  };
  context_->ev.addWrite = [](void* data) {
    static_cast<Connection*>(data)->socket_.wants_write = true;
  };
  context_->ev.delWrite = [](void* data) {
    static_cast<Connection*>(data)->socket_.wants_write = false;
  };
  context_->ev.cleanup = [](void* data) { static_cast<Connection*>(data)->OnCleanup(); };
  redisAsyncSetConnectCallback(context_, [](const redisAsyncContext* context, int status) {
    Self(context)->OnConnected(status);
  });
}

void Connection::LogIn(const Login& login) {
  const bool is_sentinel = login.database == kNoDatabase;
  if (!login.password.empty()) {
    Command auth{"AUTH"};
    if (!login.user.empty()) auth.Add(login.user);
    auth.Add(login.password);
    ++logins_owed_;
    // A Sentinel may have a password or none; the next command tells whether this was right.
    Send(auth, [this, is_sentinel](const redisReply* reply) { OnLogin(reply, is_sentinel); });
  }
  // Also without a password or a database: its answer says whether Redis lets us in.
  ++logins_owed_;
  Send(is_sentinel ? Command{"PING"} : Command{"SELECT"}.Add(int64_t{login.database}),
       [this](const redisReply* reply) { OnLogin(reply, false); });
}

void Connection::OnLogin(const redisReply* reply, bool may_fail) {
  if (reply == nullptr || state_ != State::kLoggingIn) return;
  if (reply->type == REDIS_REPLY_ERROR && !may_fail) {
    const absl::string_view text = TextOf(*reply);
    const std::string message = absl::StrCat(name_, ": refuses the login or the database: ", text);
    const bool passes = absl::StartsWith(text, "LOADING") || absl::StartsWith(text, "MASTERDOWN") ||
                        absl::StartsWith(text, "ERR max number of clients");
    return Close(passes ? absl::UnavailableError(message) : absl::FailedPreconditionError(message));
  }
  if (--logins_owed_ > 0) return;
  state_ = State::kReady;
  if (handlers_.on_ready) handlers_.on_ready();
}

void Connection::OnConnected(int status) {
  if (status != REDIS_OK || state_ != State::kConnecting) return;
  state_ = State::kLoggingIn;
  redisEnableKeepAlive(&context_->c);
}

void Connection::Send(const std::string& bytes, AnswerCallback done) {
  if (context_ == nullptr || state_ == State::kLost) return std::move(done)(nullptr);
  if (owed_.empty()) heard_ms_ = clock_.MonotonicMs();
  owed_.push_back(std::move(done));
  const int sent = redisAsyncFormattedCommand(
      context_,
      [](redisAsyncContext* context, void* reply, void*) {
        Self(context)->OnReply(static_cast<redisReply*>(reply));
      },
      nullptr, bytes.data(), bytes.size());
  if (sent == REDIS_OK) return;
  // It is being given up.
  AnswerCallback none = std::move(owed_.back());
  owed_.pop_back();
  std::move(none)(nullptr);
}

void Connection::OnReply(const redisReply* reply) {
  heard_ms_ = clock_.MonotonicMs();
  if (owed_.empty()) return;
  AnswerCallback done = std::move(owed_.front());
  owed_.pop_front();
  std::move(done)(reply);
}

void Connection::Subscribe(const std::vector<std::string>& channels, MessageCallback on_message,
                           std::function<void()> on_subscribed) {
  if (context_ == nullptr) return;
  on_message_ = std::move(on_message);
  on_subscribed_ = std::move(on_subscribed);
  channels_owed_ = channels.size();
  Command command{"SUBSCRIBE"};
  for (const std::string& channel : channels) command.Add(channel);
  const std::string bytes = command.Bytes();
  redisAsyncFormattedCommand(
      context_,
      [](redisAsyncContext* context, void* data, void*) {
        if (data != nullptr) Self(context)->OnPublished(*static_cast<redisReply*>(data));
      },
      nullptr, bytes.data(), bytes.size());
}

void Connection::OnPublished(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ARRAY || reply.elements != 3) return;
  const absl::string_view kind = TextOf(*reply.element[0]);
  if (kind == "message") return on_message_(std::string(TextOf(*reply.element[2])));
  if (kind != "subscribe" || channels_owed_ == 0 || --channels_owed_ > 0) return;
  on_subscribed_();
}

void Connection::Close(absl::Status why) {
  if (state_ == State::kLost) return;
  if (why_lost_.ok()) why_lost_ = std::move(why);
  // In one of its callbacks hiredis frees it when that returns.
  if (context_ != nullptr) redisAsyncFree(context_);
}

void Connection::CheckSilence(int64_t silence_ms) {
  if (context_ == nullptr) return Lose(why_lost_);
  if (state_ == State::kReady && owed_.empty()) return;
  if (clock_.MonotonicMs() - heard_ms_ < silence_ms) return;
  // Of one that was ready nobody knows whether it still takes connections: it may be cut off.
  const bool new_here = state_ == State::kLoggingIn;
  Close(Unreachable(
      name_, absl::StrCat(new_here ? "takes connections and gives " : "", "no answer for ",
                          silence_ms, " ms", new_here ? " (it hangs, or is no Redis)" : "")));
}

// In words for operators, by what hiredis says.
absl::Status Connection::WhyClosed() const {
  const absl::string_view text = context_->err != 0 ? context_->errstr : "closed";
  const bool new_here = state_ == State::kConnecting || state_ == State::kLoggingIn;
  switch (context_->err) {
    case REDIS_ERR_PROTOCOL:
      if (!new_here) break;
      return absl::FailedPreconditionError(absl::StrCat(name_, ": ", kNoRedis));
    case REDIS_ERR_EOF:
    case REDIS_ERR_IO:
      // Whether a close or a reset comes is chance.
      if (state_ != State::kLoggingIn) break;
      return Unreachable(name_, kClosesAtOnce);
    case REDIS_ERR_OTHER:
      // hiredis so tells what Redis answers to SUBSCRIBE if it is an error.
      if (channels_owed_ == 0) break;
      return absl::FailedPreconditionError(absl::StrCat(name_, ": refuses SUBSCRIBE: ", text));
    default:
      break;
  }
  return Unreachable(name_, text);
}

void Connection::OnCleanup() {
  absl::Status why = why_lost_.ok() ? WhyClosed() : why_lost_;
  loop_.Forget(&socket_);
  context_ = nullptr;
  Lose(std::move(why));
}

void Connection::Lose(absl::Status why) {
  if (state_ == State::kLost) return;
  state_ = State::kLost;
  // hiredis has answered all that it knew of; this is for what it did not.
  while (!owed_.empty()) OnReply(nullptr);
  if (handlers_.on_lost) handlers_.on_lost(std::move(why));
}

}  // namespace seatlock::log

// What streams and reads are sent: encoded bytes that all who are sent them share, and an account
// of how many such bytes are alive.
//
// Bytes and messages are immutable. ByteAccount is thread-safe and outlives every Bytes made with
// it (each holds a reference).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace seatlock::engine {

// Encoded once, shared by all who are sent it.
using Bytes = std::shared_ptr<const std::string>;

// One message, in parts that follow each other. A snapshot's seats are parts that the snapshots
// before and after it share.
struct Message {
  std::vector<Bytes> parts;
  size_t size = 0;  // of all parts

  void Add(Bytes part) {
    size += part->size();
    parts.push_back(std::move(part));
  }
};
using MessagePtr = std::shared_ptr<const Message>;

// Counts the encoded bytes of the process. What is alive and in no showtime's own seat map is held
// for readers alone: those that do not read make it grow.
class ByteAccount : public std::enable_shared_from_this<ByteAccount> {
 public:
  Bytes Make(std::string text) {
    const auto size = static_cast<int64_t>(text.capacity());
    alive_ += size;
    return {new const std::string(std::move(text)),
            [account = shared_from_this(), size](const std::string* owned) {
              account->alive_ -= size;
              delete owned;
            }};
  }
  MessagePtr MakeMessage(std::string text) {
    auto message = std::make_shared<Message>();
    message->Add(Make(std::move(text)));
    return message;
  }

  // A showtime's own seat map holds so many bytes more, or fewer.
  void AddMapped(int64_t bytes) { mapped_ += bytes; }

  // Bytes that only readers hold. May be off by what other threads are doing just now.
  int64_t held_for_readers() const { return alive_ - mapped_; }
  int64_t mapped() const { return mapped_; }

 private:
  std::atomic<int64_t> alive_{0};
  std::atomic<int64_t> mapped_{0};
};

}  // namespace seatlock::engine

// The load client of ./dev bench edge: many browsers on one thread, by plain sockets and epoll.
// It shares the machine with the server that it measures, so it does little for each delivery: it
// reads the header of a frame, counts, and passes over the text. Whatever it closes it closes with
// a reset, which leaves no port in TIME_WAIT. Thread-compatible.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace seatlock::bench {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How a server wants to be spoken to.
struct Dialect {
  // The path of the upgrade; "{room}" in it stands for the room's name.
  std::string path = "/ws/seat-updates";
  // What is sent after the upgrade, with the same placeholder; empty for nothing.
  std::string hello = R"({"type":"subscribe","showtimeId":"{room}"})";
  // A connection follows its room once it was sent so many frames.
  int greetings = 3;
  // NATS's own protocol in binary frames: it follows its room at the first PONG.
  bool nats = false;
};

struct CrowdOptions {
  std::string address;  // "127.0.0.1:PORT"
  Dialect dialect;
  int connections = 0;
  std::vector<std::string> rooms;  // connection i follows room i % rooms
  // Every so many-th connection has small buffers, as over a real network, and can be stopped; 0
  // for none. What arrives at them is not waited for.
  int stoppable_every = 0;
};

class Crowd {
 public:
  explicit Crowd(CrowdOptions options);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // Opens every connection, with at most `in_flight` on their way at a time, and waits until each
  // follows its room or was refused. kDeadlineExceeded where that takes longer than `timeout`.
  absl::Status Open(int in_flight, milliseconds timeout);
  // Resets every connection.
  void CutAll();
  // Reads no more from the stoppable ones.
  void StopReading();

  // Says that `changes` changes are handed over at `when` to the server for a room. The time until
  // the last connection has the last of them is one sample.
  void Handed(int room, int changes, SteadyClock::time_point when);
  // Takes in what arrives until `until`.
  void PollUntil(SteadyClock::time_point until);
  // Takes in what arrives until everything that was handed over has arrived everywhere; false where
  // it had not by `timeout`.
  bool PollUntilArrived(milliseconds timeout);
  // Forgets samples and sums, for a new phase. Everything must have arrived.
  void StartPhase();

  // Of this phase.
  const std::vector<double>& samples_ms() const { return samples_ms_; }
  uint64_t deliveries() const { return deliveries_; }
  uint64_t payload_bytes() const { return payload_bytes_; }
  // Deliveries still to come, and since the start those that a closed connection will not have.
  uint64_t missing() const { return missing_; }
  uint64_t lost() const { return lost_; }
  // Since the start: connections that could not be made, and those that were closed by the server.
  int refused() const { return refused_; }
  int closed() const { return closed_; }
  int ready() const { return ready_; }

 private:
  enum class Stage : uint8_t { kNone, kConnecting, kUpgrading, kGreeting, kReady };

  struct Connection {
    int fd = -1;
    Stage stage = Stage::kNone;
    bool tracked = true;  // what arrives here is waited for
    int room = 0;
    int greetings = 0;
    uint32_t changes = 0;  // deliveries
    std::string carry;     // a frame that has arrived in part
  };
  struct Change {
    SteadyClock::time_point handed;
    int expected = 0;  // connections that are to have it
    int arrived = 0;
    bool is_last = false;
  };
  struct Room {
    int readers = 0;
    std::vector<Change> changes;
  };

  void Connect(int index);
  void Close(Connection& connection);
  void Refuse(Connection& connection);
  void Lose(Connection& connection);
  void Handle(int index, uint32_t events);
  void Connected(Connection& connection, int index);
  void Read(Connection& connection);
  // What it takes of `bytes`: whole frames, or the answer to the upgrade.
  size_t Take(Connection& connection, std::string_view bytes);
  size_t TakeUpgrade(Connection& connection, std::string_view bytes);
  void OnFrame(Connection& connection, int opcode, std::string_view payload);
  void OnNats(Connection& connection, std::string_view payload);
  void OnText(Connection& connection, std::string_view payload);
  void Ready(Connection& connection);
  void Delivered(Connection& connection, size_t bytes);
  void SendFrame(Connection& connection, int opcode, std::string_view payload);
  std::string InRoom(const std::string& text, int room) const;
  // One epoll_wait.
  void Poll(milliseconds timeout);

  const CrowdOptions options_;
  const int epoll_;
  std::vector<Connection> connections_;
  std::vector<Room> rooms_;
  std::vector<char> buffer_;
  std::vector<double> samples_ms_;
  uint64_t deliveries_ = 0;
  uint64_t payload_bytes_ = 0;
  uint64_t missing_ = 0;
  uint64_t lost_ = 0;
  int next_ = 0;  // the connection to be opened next
  int pending_ = 0;
  int ready_ = 0;
  int refused_ = 0;
  int closed_ = 0;
};

}  // namespace seatlock::bench

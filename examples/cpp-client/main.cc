// Locks a seat and sells it, or says what stood in the way: cpp-client SERVER SHOWTIME SEAT SESSION
#include <seatlock/client.h>

#include <iostream>

namespace {

int Explain(const absl::Status& status) {
  const seatlock::client::CallError error = seatlock::client::ErrorOf(status);
  std::cout << (error.reason.empty() ? "failed: " + error.message : "refused: " + error.reason)
            << "\n";
  for (const seatlock::v1::SeatConflict& conflict : error.conflicts) {
    std::cout << conflict.seat_id() << " is " << SeatStatus_Name(conflict.status()) << "\n";
  }
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: cpp-client SERVER SHOWTIME SEAT SESSION\n";
    return 2;
  }
  seatlock::client::ClientOptions options;
  options.target = argv[1];
  seatlock::client::Client client(options);

  seatlock::v1::LockSeatRequest request;
  request.set_showtime_id(argv[2]);
  request.set_seat_id(argv[3]);
  request.set_session_id(argv[4]);
  const auto locked = client.LockSeat(request);
  if (!locked.ok()) return Explain(locked.status());
  std::cout << "locked " << argv[3] << ", fence " << locked->lock().fence() << std::endl;

  // Here the shopper pays. Whoever took money names the seats.
  seatlock::v1::BookSeatsRequest book;
  book.set_showtime_id(argv[2]);
  book.add_seat_ids(argv[3]);
  book.set_session_id(argv[4]);
  book.set_order_id(seatlock::client::MakeRequestId());
  const auto booked = client.BookSeats(book);
  if (!booked.ok()) return Explain(booked.status());
  std::cout << "booked " << argv[3] << " under order " << book.order_id() << "\n";
  return 0;
}

// TLS to the service, for ClientOptions. A value.
#pragma once

#include <string>

namespace seatlock::client {

// Paths of PEM files. They are read when the client is made and looked at once a second from then
// on: a connection that begins after a change uses what they say, and open ones stay. Replace
// `cert` and `key` together, best by a link to their folder; until both fit, no new connection
// comes to be.
struct TlsOptions {
  // Who may have signed the server's certificate. Empty: the authorities that this system trusts.
  std::string ca = {};
  // The client's own certificate, with those between it and its authority, and its key: for servers
  // that ask for one (mTLS). Both or none.
  std::string cert = {};
  std::string key = {};
  // The name that the server's certificate must have. Empty: the host of its address, be it a name
  // or an IP address; of the addresses that a name stands for, that name.
  std::string server_name = {};
};

}  // namespace seatlock::client

// gRPC's credentials and names for ClientOptions.tls. Free functions; thread-safe.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "seatlock/tls_options.h"

namespace seatlock::client {

// InvalidArgument, in one line, if a file cannot be read, or one of `cert` and `key` is missing.
// Blocks for the disk.
absl::Status CheckTls(const std::optional<TlsOptions>& tls);

// Plaintext without `tls`. One object for all servers of a client: it looks at the files.
std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const std::optional<TlsOptions>& tls);

// Sets the name that the server's certificate must have, if that is not its address's host:
// TlsOptions::server_name, or `authority`, the NAME:PORT that the address was looked up from.
void SetServerName(const std::optional<TlsOptions>& tls, const std::string& authority,
                   grpc::ChannelArguments* args);

}  // namespace seatlock::client

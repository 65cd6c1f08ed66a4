// seatctl's flag for the key or token that its calls carry.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace seatlock::cli {

// Adds --token-file and its variable. `path` outlives the parse.
void AddTokenFlag(std::string* path, CLI::App* app);

// After the parse: what reads the file anew for each call, null without one. Returns what is wrong
// in one line, empty if nothing is: a variable that is set to nothing, a file that holds no token.
std::string TakeToken(const std::string& path, const CLI::App& app,
                      std::function<std::string()>* taken);

}  // namespace seatlock::cli

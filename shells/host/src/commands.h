// What the program does.
#pragma once

#include <string>

namespace diaryx::host {

struct InspectArguments {
  std::string file;
  bool json = false;
};
/// Prints what a plugin says of itself and what it wants of a host.
int inspect(const InspectArguments& arguments);

struct ServeArguments {
  std::string file;
  std::string folder;
  std::string server;
  std::string token;
  std::string device_name;
};
/// Runs a plugin on a folder, driven by JSON lines on standard input; README.md has the protocol.
int serve(const ServeArguments& arguments);

}  // namespace diaryx::host

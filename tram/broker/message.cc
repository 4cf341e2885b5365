#include "tram/broker/message.h"

namespace tram::broker {

std::string_view name_of(Durability level) {
  switch (level) {
    case Durability::memory:
      return "memory";
    case Durability::os:
      return "os";
    case Durability::disk:
      return "disk";
    case Durability::replicated:
      return "replicated";
  }
  return "unknown";
}

}  // namespace tram::broker

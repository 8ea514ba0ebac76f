#include "lib/part.h"

namespace luf::guest {

std::string_view kind_name(PartKind kind) {
  switch (kind) {
    case PartKind::workload:
      return "workload";
    case PartKind::injector:
      return "injector";
    case PartKind::detector:
      return "detector";
  }
  return "";
}

std::string_view type_name(ParamType type) {
  switch (type) {
    case ParamType::count:
      return "count";
    case ParamType::duration:
      return "duration";
    case ParamType::size:
      return "size";
    case ParamType::choice:
      return "choice";
    case ParamType::text:
      return "text";
    case ParamType::program:
      return "program";
  }
  return "";
}

const Part* find_part(std::string_view kind, std::string_view name) {
  for (const Part* part : part_table()) {
    if (kind_name(part->kind) == kind && part->name == name) return part;
  }
  return nullptr;
}

}  // namespace luf::guest

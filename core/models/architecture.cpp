// The registry of families, filled before main by the family files.
#include "core/models/architecture.h"

#include <algorithm>

namespace nibble {
namespace {

std::vector<const Architecture*>& registry() {
  static std::vector<const Architecture*> all;
  return all;
}

}  // namespace

RegisterArchitecture::RegisterArchitecture(const Architecture& architecture) {
  auto& all = registry();
  const auto by_name = [](const Architecture* a, const Architecture* b) {
    return a->gguf_name < b->gguf_name;
  };
  all.insert(std::upper_bound(all.begin(), all.end(), &architecture, by_name), &architecture);
}

std::span<const Architecture* const> architectures() { return registry(); }

const Architecture* find_architecture(std::string_view gguf_name) {
  for (const Architecture* a : registry())
    if (a->gguf_name == gguf_name) return a;
  return nullptr;
}

const Architecture* find_hf_class(std::string_view name) {
  for (const Architecture* a : registry())
    if (std::ranges::find(a->hf_classes, name) != a->hf_classes.end()) return a;
  return nullptr;
}

}  // namespace nibble

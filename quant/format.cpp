// The registry: gathers what the files in types/ and activations/ define for each instruction set.
#include "quant/format.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <deque>
#include <vector>

#include "core/base/assert.h"
#include "quant/dispatch.h"

namespace nibble::quant {

#define X(isa, from, file)             \
  namespace from {                     \
  extern const Kernels file##_kernels; \
  }
#include "quant_kernels.inc"
#undef X
#define X(isa, from, file)                           \
  namespace from {                                   \
  extern const ActivationKernels file##_activations; \
  }
#include "activations_kernels.inc"
#undef X

namespace {

struct KernelsRow {
  std::string_view isa;
  const Kernels* kernels;
};
constexpr KernelsRow kRows[] = {
#define X(isa, from, file) {#isa, &from::file##_kernels},
#include "quant_kernels.inc"
#undef X
};

struct ActivationRow {
  std::string_view isa, kind;
  const ActivationKernels* kernels;
};
constexpr ActivationRow kActivationRows[] = {
#define X(isa, from, file) {#isa, #file, &from::file##_activations},
#include "activations_kernels.inc"
#undef X
};
constexpr std::string_view kKindNames[kActivationKinds] = {"f32", "q8x32", "q8x256", "float16"};

constexpr size_t kTypes = 64;  // GGUF numbers of the formats built in are below this

Kernels panels_removed(Kernels k) {
  k.panel_bytes = nullptr;
  k.expand_panel = nullptr;
  k.multiply_panel = nullptr;
  return k;
}

struct Registry {
  std::vector<std::string_view> isas;
  std::vector<const Format*> formats;
  std::vector<std::array<const Kernels*, kTypes>> kernels;  // [isa][gguf_type]
  std::deque<Kernels> without_panels;
  std::vector<std::array<const ActivationKernels*, kActivationKinds>> activations;  // [isa][kind]

  Registry() {
    for (const auto& row : kRows) {
      if (isas.empty() || isas.back() != row.isa) {
        isas.push_back(row.isa);
        kernels.emplace_back();
        activations.emplace_back();
      }
      NIBBLE_ASSERT(row.kernels->format->gguf_type < kTypes);
      const bool has_panels = !row.kernels->has_panels || row.kernels->has_panels();
      kernels.back()[row.kernels->format->gguf_type] =
          has_panels ? row.kernels : &without_panels.emplace_back(panels_removed(*row.kernels));
    }
    for (const auto& row : kActivationRows) {
      const auto isa = std::ranges::find(isas, row.isa) - isas.begin();
      const auto kind = std::ranges::find(kKindNames, row.kind) - kKindNames;
      activations.at(isa).at(kind) = row.kernels;
    }
    for (const Kernels* k : kernels.front())
      if (k) formats.push_back(k->format);
  }
};

const Registry& registry() {
  static const Registry all;
  return all;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, {}, [](unsigned char c) { return std::tolower(c); },
      [](unsigned char c) { return std::tolower(c); });
}

}  // namespace

std::span<const std::string_view> compiled_isas() { return registry().isas; }

std::span<const Format* const> formats() { return registry().formats; }

const Format* find_gguf_type(uint32_t gguf_type) {
  if (gguf_type >= kTypes) return nullptr;
  const Kernels* k = registry().kernels.front()[gguf_type];
  return k ? k->format : nullptr;
}

const Format* find_format(std::string_view name) {
  for (const Format* f : formats())
    if (same_name(f->name, name)) return f;
  return nullptr;
}

const Kernels& kernels(const Format& format) {
  const Kernels* k = registry().kernels[isa_index()][format.gguf_type];
  NIBBLE_ASSERT(k);
  return *k;
}

const ActivationKernels& activation_kernels(ActivationKind kind) {
  return *registry().activations[isa_index()][static_cast<int>(kind)];
}

}  // namespace nibble::quant

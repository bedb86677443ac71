#include "cli/weights_memory.h"

#include "cli/output.h"
#include "cli/units.h"
#include "core/base/json.h"
#include "formats/path_message.h"

namespace nibble::cli {
namespace {

double resident_share(WeightFile& file, uint64_t n_bytes) {
  uint64_t n = 0;
  for (const MappedFile* map : file.maps()) n += map->resident_bytes();
  return n_bytes ? static_cast<double>(n) / static_cast<double>(n_bytes) : 1;
}

uint64_t lock_all(WeightFile& file) {
  uint64_t n_locked = 0;
  for (MappedFile* map : file.maps()) {
    if (const auto locked = map->lock(); !locked) {
      notice("--mlock: {}: {}; going on without", map->path().string(), locked.error().message);
      return n_locked;
    }
    n_locked += map->bytes().size();
  }
  return n_locked;
}

}  // namespace

std::array<Option*, 2> add_weights_options(App& command, WeightsOptions& o) {
  Option* no_mmap = command.add_flag(
      "--no-mmap", o.no_mmap,
      "Read the weights into memory of this process instead of mapping the file: a slower start, "
      "nothing shared with the page cache, huge pages");
  Option* mlock = command.add_flag(
      "--mlock", o.mlock,
      "Read all weights at the start and keep them in memory: no pauses later, and other programs "
      "cannot use that memory");
  return {no_mmap->group("Computing"), mlock->group("Computing")};
}

Result<WeightsMemory> place_weights(WeightFile& file, const WeightsOptions& o) {
  WeightsMemory memory{.copied = o.no_mmap, .n_bytes = file.n_bytes()};
  if (!o.no_mmap && !o.mlock) {
    file.preload();
    return memory;
  }
  const double start = now_s();
  if (o.no_mmap)
    for (MappedFile* map : file.maps()) NIBBLE_CHECK(with_path(map->path(), map->copy()));
  if (o.mlock) memory.n_locked = lock_all(file);
  if (!o.no_mmap && memory.n_locked < memory.n_bytes) file.preload();
  memory.load_s = now_s() - start;
  notice("weights of {} {} in {:.2f} s, {:.0f} % in memory, {} locked", human_bytes(memory.n_bytes),
         memory.copied ? "read" : "mapped", memory.load_s,
         100 * resident_share(file, memory.n_bytes), human_bytes(memory.n_locked));
  return memory;
}

Json to_json(const WeightsMemory& memory, WeightFile& file) {
  return {{"mapped", !memory.copied},
          {"bytes", memory.n_bytes},
          {"load_seconds", memory.load_s},
          {"resident_share", resident_share(file, memory.n_bytes)},
          {"locked_bytes", memory.n_locked}};
}

}  // namespace nibble::cli

#include "formats/gguf.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "core/base/printable.h"
#include "formats/gguf_header.h"
#include "formats/path_message.h"
#include "formats/tensor_index.h"

namespace nibble::gguf {
namespace {

struct Part {
  MappedFile file;
  Header header;
};

class GgufFile final : public WeightFile {
 public:
  explicit GgufFile(std::vector<Part> parts) : parts_(std::move(parts)) {
    for (const Part& part : parts_) {
      files_.push_back(part.file.path());
      n_bytes_ += part.file.bytes().size();
      tensors_.insert(tensors_.end(), part.header.tensors.begin(), part.header.tensors.end());
    }
    index_ = TensorIndex(tensors_);
  }

  std::string_view container() const override { return "gguf"; }
  const Metadata& metadata() const override { return parts_.front().header.metadata; }
  std::span<const TensorView> tensors() const override { return tensors_; }
  uint64_t n_bytes() const override { return n_bytes_; }
  std::span<const std::filesystem::path> files() const override { return files_; }
  const TensorView* find(std::string_view name) const override {
    return index_.find(tensors_, name);
  }
  std::vector<MappedFile*> maps() override {
    std::vector<MappedFile*> maps;
    for (Part& part : parts_) maps.push_back(&part.file);
    return maps;
  }

  // Fails when two parts hold tensors of the same name.
  Result<void> check_unique() const {
    if (const TensorView* twice = index_.duplicate(tensors_))
      return corrupt("tensor {} stands in two parts of the model", in_quotes(twice->name));
    return {};
  }

 private:
  std::vector<Part> parts_;
  std::vector<std::filesystem::path> files_;
  std::vector<TensorView> tensors_;
  TensorIndex index_;
  uint64_t n_bytes_ = 0;
};

// Where a file stands in a split model; {0, 1} for a whole one.
struct Split {
  uint64_t no = 0, count = 1;
};

Result<Split> read_split(const Metadata& metadata) {
  Split split;
  NIBBLE_TRY(const auto count, metadata.get_u64("split.count"));
  NIBBLE_TRY(const auto no, metadata.get_u64("split.no"));
  split.count = std::max<uint64_t>(count.value_or(1), 1);  // 0 is written for a whole file
  split.no = no.value_or(0);
  if (split.count > kMaxFiles)
    return corrupt("key 'split.count': {}, expected at most {}", split.count, kMaxFiles);
  if (split.no >= split.count)
    return corrupt("key 'split.no': {}, expected less than split.count, which is {}", split.no,
                   split.count);
  return split;
}

std::string part_suffix(const Split& split) {
  return fmt::format("-{:05}-of-{:05}.gguf", split.no + 1, split.count);
}

Result<Part> read_part(MappedFile file) {
  NIBBLE_TRY(Header header, with_path(file.path(), read_header(file.bytes())));
  return Part{std::move(file), std::move(header)};
}

// Opens part `split` of the model; prefix is the common beginning of its parts' paths.
Result<Part> open_part(const std::string& prefix, const Split& split) {
  const std::filesystem::path path = prefix + part_suffix(split);
  auto file = with_path(path, MappedFile::open(path));
  if (!file) {
    if (file.error().kind != ErrorKind::kNotFound) return std::unexpected(std::move(file).error());
    return fail(ErrorKind::kNotFound, "{}: part {} of {} of the model is missing",
                printable(path.native(), 200), split.no + 1, split.count);
  }
  NIBBLE_TRY(Part part, read_part(std::move(*file)));
  NIBBLE_TRY(const Split found, with_path(path, read_split(part.header.metadata)));
  if (found.no != split.no || found.count != split.count)
    return with_path(path, corrupt("says it is part {} of {}, but its name says {} of {}",
                                   found.no + 1, found.count, split.no + 1, split.count));
  return part;
}

// All parts in order, `first` being the one that was named.
Result<std::vector<Part>> open_parts(Part named, const Split& split) {
  std::string prefix = named.file.path().native();
  const std::string suffix = part_suffix(split);
  if (!prefix.ends_with(suffix))
    return with_path(
        named.file.path(),
        corrupt(
            "is part {} of {}, but its name does not end in '{}', so the others cannot be found",
            split.no + 1, split.count, suffix));
  prefix.resize(prefix.size() - suffix.size());
  std::vector<Part> parts;
  const auto open_from = [&](uint64_t no, uint64_t end) -> Result<void> {
    for (; no < end; ++no) {
      NIBBLE_TRY(Part part, open_part(prefix, {no, split.count}));
      parts.push_back(std::move(part));
    }
    return {};
  };
  NIBBLE_CHECK(open_from(0, split.no));
  parts.push_back(std::move(named));
  NIBBLE_CHECK(open_from(split.no + 1, split.count));
  return parts;
}

Result<void> check_total(const Metadata& metadata, size_t n_tensors) {
  NIBBLE_TRY(const auto announced, metadata.get_u64("split.tensors.count"));
  if (announced && *announced != n_tensors)
    return corrupt("key 'split.tensors.count': {}, but the parts hold {} tensors", *announced,
                   n_tensors);
  return {};
}

}  // namespace

Result<std::unique_ptr<WeightFile>> open(MappedFile file) {
  const std::filesystem::path path = file.path();
  NIBBLE_TRY(Part named, read_part(std::move(file)));
  NIBBLE_TRY(const Split split, with_path(path, read_split(named.header.metadata)));
  std::vector<Part> parts;
  if (split.count == 1) {
    parts.push_back(std::move(named));
  } else {
    NIBBLE_TRY(parts, open_parts(std::move(named), split));
  }
  auto model = std::make_unique<GgufFile>(std::move(parts));
  if (split.count > 1) {
    NIBBLE_CHECK(with_path(path, model->check_unique()));
    NIBBLE_CHECK(with_path(path, check_total(model->metadata(), model->tensors().size())));
  }
  return model;
}

}  // namespace nibble::gguf

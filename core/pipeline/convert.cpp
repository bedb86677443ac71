#include "core/pipeline/convert.h"

#include <algorithm>

#include "core/base/printable.h"
#include "core/models/folder_config.h"
#include "core/models/left_out.h"
#include "core/models/model.h"
#include "core/pipeline/convert_facts.h"
#include "core/pipeline/convert_keys.h"
#include "core/pipeline/convert_tensors.h"
#include "core/pipeline/hash_files.h"
#include "core/text/chat.h"
#include "core/text/folder_source.h"
#include "core/text/to_gguf.h"
#include "formats/folder_files.h"
#include "formats/path_message.h"
#include "formats/sha256.h"
#include "formats/tensor_index.h"

namespace nibble {
namespace {

// Files that belong to a tokenizer: a folder that has one of them has lost the tokenizer itself.
constexpr std::string_view kTokenizerParts[] = {"tokenizer_config.json", "special_tokens_map.json",
                                                "vocab.json", "merges.txt", "tokenizer.model.v3"};

class ConvertedFolder final : public ConvertedModel {
 public:
  explicit ConvertedFolder(std::unique_ptr<WeightFile> folder) : source_(std::move(folder)) {}

  // read: the source's files; the list grows while more of them are opened.
  Result<ConvertNotes> convert(const OpenedFiles& read) {
    ConvertNotes notes;
    NIBBLE_CHECK(with_path(source_->folder(), add_model(notes)));
    NIBBLE_CHECK(add_tokenizer(notes));
    add_provenance(read.paths());
    metadata_ = to_metadata(draft_);
    NIBBLE_TRY(const Model whole, Model::load(*this));  // what will read the file finds it complete
    return notes;
  }

  Result<void> hash_sources(ThreadPool& pool,
                            FunctionRef<bool(uint64_t, uint64_t)> go_on) override {
    NIBBLE_TRY(const auto hashes, hash_files(paths_, pool, go_on));
    draft_.set_texts(kSourceHashesKey, hashes);
    metadata_ = to_metadata(draft_);
    return {};
  }

  std::string_view container() const override { return "gguf"; }
  const Metadata& metadata() const override { return metadata_; }
  std::span<const TensorView> tensors() const override { return tensors_.views; }
  const TensorView* find(std::string_view name) const override {
    return index_.find(tensors(), name);
  }
  uint64_t n_bytes() const override { return source_->n_bytes(); }
  std::span<const std::filesystem::path> files() const override { return source_->files(); }
  const std::filesystem::path& folder() const override { return source_->folder(); }
  std::vector<MappedFile*> maps() override { return source_->maps(); }

 private:
  Result<void> add_model(ConvertNotes& notes) {
    NIBBLE_TRY(const FolderConfig config, read_folder_config(*source_->config(), source_.get()));
    const Architecture& architecture = *config.architecture;
    NIBBLE_TRY(const Hparams h, architecture.read_hparams({config.metadata, nullptr}));
    NIBBLE_TRY(tensors_, ConvertedTensors::make(*source_, architecture, h));
    index_ = TensorIndex(tensors_.views);
    n_vocab_ = h.n_vocab;
    notes.left_out = left_out_tensors(*source_, architecture, h);
    NIBBLE_CHECK(add_general_keys(*source_, h.arch, tensors(), draft_));
    add_family_keys(config.metadata, h, draft_);
    NIBBLE_CHECK(drop_needless_keys(architecture, *this, draft_));
    return {};
  }
  Result<void> add_tokenizer(ConvertNotes& notes) {
    std::filesystem::path used;
    const auto read = text::read_folder_source(source_->folder(), used);
    notes.has_tokenizer = read || !used.empty() || has_tokenizer_part();
    if (!notes.has_tokenizer) return {};
    if (!read) return std::unexpected(read.error());
    NIBBLE_TRY(notes.tokenizer, with_path(used, text::add_tokenizer_keys(*read, n_vocab_, draft_)));
    return add_templates();
  }
  bool has_tokenizer_part() const {
    return std::ranges::any_of(
        kTokenizerParts, [&](std::string_view name) { return has_file(source_->folder(), name); });
  }
  Result<void> add_templates() {
    NIBBLE_TRY(const auto templates, chat_templates_of(source_->folder()));
    std::vector<std::string> names;
    for (const NamedTemplate& t : templates) {
      const bool main = t.name == "default";
      draft_.set_text(main ? "tokenizer.chat_template" : "tokenizer.chat_template." + t.name,
                      t.source);
      if (!main) names.push_back(t.name);
    }
    if (!names.empty()) draft_.set_texts("tokenizer.chat_templates", names);
    return {};
  }

  void add_provenance(const std::vector<std::filesystem::path>& paths) {
    paths_ = paths;
    std::vector<std::string> names;
    for (const auto& path : paths_)
      names.push_back(printable(path.lexically_relative(source_->folder()).native(), 4096));
    draft_.set_texts(kSourceFilesKey, names);
    draft_.set_texts(kSourceHashesKey,
                     std::vector<std::string>(names.size(), std::string(kSha256Digits, '0')));
    add_command("nibble convert IN -o OUT", draft_);
  }

  std::unique_ptr<WeightFile> source_;
  std::vector<std::filesystem::path> paths_;  // of all files that are read
  ConvertedTensors tensors_;
  TensorIndex index_;
  int64_t n_vocab_ = 0;
  MetadataDraft draft_;
  Metadata metadata_;
};

}  // namespace

void add_command(std::string command, MetadataDraft& draft) {
  std::vector<std::string> commands;
  if (const auto* before = draft.find(kCommandsKey))
    if (const auto* array = std::get_if<MetadataArray>(before))
      if (const auto* texts = std::get_if<std::vector<std::string_view>>(array))
        commands.assign(texts->begin(), texts->end());
  commands.push_back(std::move(command));
  draft.set_texts(kCommandsKey, commands);
}

Result<GgufSource> open_as_gguf(const std::filesystem::path& path) {
  OpenedFiles read;
  NIBBLE_TRY(auto file, open_weight_file(path));
  GgufSource out;
  out.file = std::move(file);
  out.path = path;
  if (!out.file->config()) return out;
  auto folder = std::make_unique<ConvertedFolder>(std::move(out.file));
  NIBBLE_TRY(out.notes, folder->convert(read));
  out.converted = folder.get();
  out.file = std::move(folder);
  return out;
}

}  // namespace nibble

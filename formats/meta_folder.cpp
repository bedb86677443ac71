// Meta's own folders (Llama 1 to 3.x): params.json and consolidated.NN.pth, one file for each
// model-parallel part. Tensors are shown under Hugging Face's names and in its order of rotary
// rows, joined where they are split, and params.json as the config.json that Hugging Face's
// conversion would write. Source: the llama reference code's names and its ColumnParallelLinear
// (rows are split) and RowParallelLinear (columns are).
#include <algorithm>
#include <map>

#include "core/base/json.h"
#include "core/base/printable.h"
#include "formats/folder_files.h"
#include "formats/folder_model.h"
#include "formats/path_message.h"
#include "formats/row_decoders.h"

namespace nibble {
namespace {

using Parts = FolderModel::Parts;

constexpr int kMaxParts = 64;
constexpr int64_t kMaxSize = int64_t{1} << 24;  // of a dimension in params.json

enum class Join { kRows, kColumns, kSame, kEmbedding };
struct Role {
  std::string_view meta, hf;  // behind "layers.N." and "model.layers.N.", or the whole name
  Join join;
  bool rotary_q = false, rotary_k = false;
};
constexpr Role kLayerRoles[] = {
    {"attention.wq.weight", "self_attn.q_proj.weight", Join::kRows, true},
    {"attention.wk.weight", "self_attn.k_proj.weight", Join::kRows, false, true},
    {"attention.wv.weight", "self_attn.v_proj.weight", Join::kRows},
    {"attention.wo.weight", "self_attn.o_proj.weight", Join::kColumns},
    {"feed_forward.w1.weight", "mlp.gate_proj.weight", Join::kRows},
    {"feed_forward.w3.weight", "mlp.up_proj.weight", Join::kRows},
    {"feed_forward.w2.weight", "mlp.down_proj.weight", Join::kColumns},
    {"attention_norm.weight", "input_layernorm.weight", Join::kSame},
    {"ffn_norm.weight", "post_attention_layernorm.weight", Join::kSame},
};
constexpr Role kModelRoles[] = {
    {"tok_embeddings.weight", "model.embed_tokens.weight", Join::kEmbedding},
    {"norm.weight", "model.norm.weight", Join::kSame},
    {"output.weight", "lm_head.weight", Join::kRows},
};

struct Params {
  int64_t dim = 0, n_layers = 0, n_heads = 0, n_kv_heads = 0;
  double norm_eps = 0, rope_theta = 10000;
  bool use_scaled_rope = false;
};

// A size of params.json in 1..kMaxSize; otherwise is taken where it is absent, unless that is 0.
Result<int64_t> size_of(const Json& json, const char* key, int64_t otherwise) {
  const auto at = json.find(key);
  if ((at == json.end() || at->is_null()) && otherwise) return otherwise;
  if (at == json.end()) return corrupt("'{}' is missing", key);
  if (!at->is_number_unsigned() || at->get<uint64_t>() < 1 ||
      at->get<uint64_t>() > static_cast<uint64_t>(kMaxSize))
    return corrupt("'{}' is {}, expected 1..{}", key, printable(dump_json(*at)), kMaxSize);
  return at->get<int64_t>();
}

Result<Params> read_params(const Json& json) {
  for (const char* key : {"moe", "moe_args", "vision_chunk_size", "q_lora_rank"})
    if (json.contains(key)) return unsupported("a Meta folder with '{}' is not read", key);
  Params p;
  NIBBLE_TRY(p.dim, size_of(json, "dim", 0));
  NIBBLE_TRY(p.n_layers, size_of(json, "n_layers", 0));
  NIBBLE_TRY(p.n_heads, size_of(json, "n_heads", 0));
  NIBBLE_TRY(p.n_kv_heads, size_of(json, "n_kv_heads", p.n_heads));
  if (p.dim % p.n_heads != 0 || p.dim / p.n_heads % 2 != 0 || p.n_heads % p.n_kv_heads != 0)
    return corrupt("{} dimensions, {} heads and {} of keys do not fit together", p.dim, p.n_heads,
                   p.n_kv_heads);
  const auto number = [&](const char* key, double otherwise) {
    const auto at = json.find(key);
    return at != json.end() && at->is_number() ? at->get<double>() : otherwise;
  };
  p.norm_eps = number("norm_eps", 1e-5);
  p.rope_theta = number("rope_theta", 10000);
  const auto scaled = json.find("use_scaled_rope");
  p.use_scaled_rope = scaled != json.end() && scaled->is_boolean() && scaled->get<bool>();
  return p;
}

std::string part_name(int i) { return fmt::format("consolidated.{:02}.pth", i); }

Result<std::vector<CheckpointFile>> open_parts(const std::filesystem::path& folder) {
  int last = -1;
  for (int i = 0; i < kMaxParts; ++i)
    if (has_file(folder, part_name(i))) last = i;
  std::vector<CheckpointFile> files;
  for (int i = 0; i <= last; ++i) {
    if (!has_file(folder, part_name(i)))
      return fail(ErrorKind::kNotFound, "{}: is missing, but {} is there",
                  printable((folder / part_name(i)).native(), 200), part_name(last));
    NIBBLE_TRY(CheckpointFile file, open_checkpoint_file(folder, part_name(i)));
    files.push_back(std::move(file));
  }
  if (files.empty())
    return fail(ErrorKind::kNotFound, "{}: has a params.json, but no consolidated.00.pth",
                printable(folder.native(), 200));
  return files;
}

class Joiner {
 public:
  Joiner(Parts& parts, const Params& params) : parts_(parts), p_(params) {
    for (const CheckpointFile& file : parts.files) {
      auto& names = by_name_.emplace_back();
      for (const RawTensor& t : file.tensors) names.emplace(t.name, &t);
    }
  }

  Result<void> join_all() {
    for (const Role& role : kModelRoles) NIBBLE_CHECK(join(role, "", ""));
    for (int64_t i = 0; i < p_.n_layers; ++i)
      for (const Role& role : kLayerRoles)
        NIBBLE_CHECK(join(role, fmt::format("layers.{}.", i), fmt::format("model.layers.{}.", i)));
    return {};
  }

 private:
  Result<void> join(const Role& role, const std::string& meta_prefix,
                    const std::string& hf_prefix) {
    const std::string name = meta_prefix + std::string(role.meta);
    JoinedLayout layout;
    for (size_t i = 0; i < by_name_.size(); ++i) {
      const auto found = by_name_[i].find(name);
      if (found == by_name_[i].end())
        return corrupt("tensor {} is missing in {}", in_quotes(name),
                       part_name(static_cast<int>(i)));
      layout.parts.push_back(found->second);
    }
    if (role.join == Join::kSame) layout.parts.resize(1);
    // Llama 1 and 2 split the embeddings by columns, Llama 3 by entries of the vocabulary
    const RawTensor& first = *layout.parts[0];
    layout.by_columns = role.join == Join::kColumns ||
                        (role.join == Join::kEmbedding && first.shape.n_cols() != p_.dim);
    if (role.rotary_q || role.rotary_k) layout.d_head = p_.dim / p_.n_heads;
    TensorView view{parts_.logical.names.emplace_back(hf_prefix + std::string(role.hf)),
                    first.type->format,
                    {},
                    first.bytes};
    NIBBLE_TRY(view.shape, joined_shape(name, layout));
    NIBBLE_CHECK(check_rows(name, role, view.shape));
    if (layout.parts.size() > 1 || layout.d_head || !first.type->has_kernels()) {
      parts_.logical.decoders.push_back(std::make_unique<JoinedDecoder>(std::move(layout)));
      view.decoder = parts_.logical.decoders.back().get();
    }
    parts_.logical.views.push_back(view);
    return {};
  }

  Result<Shape> joined_shape(const std::string& name, const JoinedLayout& layout) const {
    Shape shape = layout.parts[0]->shape;
    const size_t axis =
        layout.by_columns && shape.n_dims > 0 ? static_cast<size_t>(shape.n_dims - 1) : 0;
    for (const RawTensor* part : layout.parts) {
      Shape same = part->shape;
      if (shape.n_dims < 1 || shape.n_dims > 2 || same.n_dims != shape.n_dims ||
          part->type != layout.parts[0]->type)
        return corrupt("tensor {}: parts of different kinds", in_quotes(name));
      same.dim[axis] = shape.dim[axis];
      if (same != shape)
        return corrupt("tensor {}: parts {} and {} do not fit together", in_quotes(name),
                       to_string(layout.parts[0]->shape), to_string(part->shape));
      if (part != layout.parts[0]) shape.dim[axis] += part->shape.dim[axis];
    }
    return shape;
  }
  // Rows of rotary heads must be whole heads, or the new order would reach beyond them.
  Result<void> check_rows(const std::string& name, const Role& role, const Shape& shape) const {
    const int64_t heads = role.rotary_q ? p_.n_heads : role.rotary_k ? p_.n_kv_heads : 0;
    if (heads && (shape.n_dims != 2 || shape.dim[0] != heads * (p_.dim / p_.n_heads)))
      return corrupt("tensor {}: shape {}, expected {} rows", in_quotes(name), to_string(shape),
                     heads * (p_.dim / p_.n_heads));
    return {};
  }

  Parts& parts_;
  const Params& p_;
  std::vector<std::map<std::string_view, const RawTensor*, std::less<>>> by_name_;
};

int64_t rows_of(const LogicalTensors& tensors, std::string_view name) {
  for (const TensorView& t : tensors.views)
    if (t.name == name) return t.shape.n_rows();
  return 0;
}

// What Hugging Face's conversion writes. The context is the one each generation was published with.
Json make_config(const Params& p, const LogicalTensors& tensors) {
  const int64_t n_vocab = rows_of(tensors, "model.embed_tokens.weight");
  const bool llama3 = p.rope_theta >= 500000;
  Json config{{"architectures", {"LlamaForCausalLM"}},
              {"model_type", "llama"},
              {"hidden_size", p.dim},
              {"intermediate_size", rows_of(tensors, "model.layers.0.mlp.gate_proj.weight")},
              {"num_hidden_layers", p.n_layers},
              {"num_attention_heads", p.n_heads},
              {"num_key_value_heads", p.n_kv_heads},
              {"rms_norm_eps", p.norm_eps},
              {"rope_theta", p.rope_theta},
              {"hidden_act", "silu"},
              {"tie_word_embeddings", false},
              {"max_position_embeddings", p.use_scaled_rope ? 131072
                                          : llama3          ? 8192
                                                            : 4096},
              {"vocab_size", n_vocab}};
  if (p.use_scaled_rope)
    config["rope_scaling"] = {{"rope_type", "llama3"},
                              {"factor", 8.0},
                              {"low_freq_factor", 1.0},
                              {"high_freq_factor", 4.0},
                              {"original_max_position_embeddings", 8192}};
  return config;
}

}  // namespace

Result<std::unique_ptr<WeightFile>> open_meta_folder(const std::filesystem::path& folder) {
  auto parts = std::make_unique<Parts>();
  parts->container = "meta";
  parts->folder = folder;
  NIBBLE_TRY(const Json json, read_json_in_folder(folder, "params.json"));
  NIBBLE_TRY(const Params params, with_path(folder / "params.json", read_params(json)));
  NIBBLE_TRY(parts->files, open_parts(folder));
  NIBBLE_CHECK(with_path(folder, Joiner(*parts, params).join_all()));
  parts->config = make_config(params, parts->logical);
  return FolderModel::create(std::move(parts));
}

}  // namespace nibble

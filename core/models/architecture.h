// What a model family is: one registered value that holds all that any other part may ask. A family
// is one file in this folder, ends with its registration, and is named in no other C++ file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/json_fwd.h"
#include "core/models/hparams.h"
#include "core/ops/activation.h"
#include "core/tensor/shape.h"
#include "formats/metadata.h"
#include "formats/weight_file.h"

namespace nibble {

// How a tensor of a Hugging Face folder becomes the GGUF tensor of the same role. Running a folder
// moves no bytes where another view does; converting it does.
enum class Fix : uint8_t {
  kNone,
  kRopeRows,    // each head's rows from halves (x0..xn, y0..yn) to pairs (x0 y0 x1 y1 ..)
  kPlusOne,     // norm weights are stored minus one
  kTranspose,   // stored [in, out] (also the matrix of each expert)
  kGroupedQkv,  // rows from KV groups (queries, key, value of each) to all queries, all keys, all
                // values
  kKeyPart,     // rows of each head's keys in kv_b, transposed for each head
  kValuePart,   // rows of each head's values in kv_b
};

struct TensorSpec {
  std::string gguf_name;  // "blk.3.attn_q.weight"
  std::string
      hf_name;  // alternatives by '|'; {e} stands for each expert, {h} for each head; empty: none
  Shape shape;  // as GGUF has it
  bool required = true;
  Fix fix = Fix::kNone;
  int part =
      0;  // which of n_parts equal row ranges of the Hugging Face tensor (of each expert) it is
  int n_parts = 1;
  bool interleaved = false;  // the parts' rows alternate
};

enum class NormKind : uint8_t { kRms, kLayer };
enum class QkNorm : uint8_t {
  kNone,
  kHead,        // RMS of each head, one weight [d_k] for all, before the rotation
  kHeadLayer,   // LayerNorm of each head, weights [n_head, d_k], before the rotation
  kProjection,  // RMS over all heads together, weights [n_head * d_k], before the rotation
  kAfterRope,   // RMS of each head without weights, after the rotation
};

// One layer of the shared decoder, as data. What a model's file leaves out (biases, norms) is left
// out.
struct BlockOptions {
  NormKind norm = NormKind::kRms;
  float eps = 1e-5f;
  bool pre_norm = true;    // branches read the norm of the residual
  bool post_norm = false;  // a branch is normed before it joins the residual
  bool parallel = false;   // both branches read the same residual
  QkNorm qk_norm = QkNorm::kNone;
  bool rope = true;
  bool swa_rope = false;  // rotates by rope_swa, which does not change with the sequence's length
  bool alibi = false;
  bool alibi_scaled = false;  // slopes are multiplied by the scale of the scores too
  float scale = 0;            // of the scores
  float softcap = 0;
  int window = 0;
  int chunk = 0;
  float clamp_kqv = 0;
  bool temperature = false;  // queries are scaled by position
  Activation activation = Activation::kSilu;
  bool gated = true;  // down(act(gate x) * up x), else down(act(up x))
  float clamp_gate =
      0;  // gpt-oss: g = min(gate, c), u = clamp(up, c), g * sigmoid(1.702 g) * (u + 1)
  float residual_scale = 1;
  bool moe = false;
};

struct HparamsSource {
  const Metadata& metadata;
  const WeightFile* gguf =
      nullptr;  // the file where it is GGUF: which tensors it has; null for a folder

  // Whether a GGUF file has a tensor; `otherwise` for a folder, whose config says it.
  bool has(std::string_view gguf_tensor, bool otherwise) const {
    return gguf ? gguf->find(gguf_tensor) != nullptr : otherwise;
  }
};

struct Architecture {
  std::string_view gguf_name;
  std::vector<std::string_view> hf_classes;  // "LlamaForCausalLM"; the first is written by convert
  Result<Metadata> (*read_config)(
      const Json& config);  // config.json (its text part) to GGUF's keys
  Result<Hparams> (*read_hparams)(const HparamsSource& source);
  std::vector<TensorSpec> (*tensors)(const Hparams& hparams);
  BlockOptions (*block)(const Hparams& hparams, int layer);
  std::vector<std::string_view> tiny;        // small config.json texts, for tests
  std::vector<std::string_view> hf_configs;  // templates of config.json, see config_writer.h
  // Those of hf_classes with parts beside the text whose config ties the output to the embedding
  // where it does not say.
  std::vector<std::string_view> hf_tied = {};
};

// The registry.
std::span<const Architecture* const> architectures();
const Architecture* find_architecture(std::string_view gguf_name);  // nullptr: not built in
const Architecture* find_hf_class(std::string_view name);

// A family file ends with: const RegisterArchitecture registered(kArchitecture);
struct RegisterArchitecture {
  explicit RegisterArchitecture(const Architecture& architecture);
};

}  // namespace nibble

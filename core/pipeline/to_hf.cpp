// See to_hf.h.
#include "core/pipeline/to_hf.h"

#include "core/base/output_folder.h"
#include "core/models/config_writer.h"
#include "core/models/family.h"
#include "core/models/left_out.h"
#include "core/pipeline/hf_tensors.h"
#include "core/pipeline/hf_texts.h"

namespace nibble {

Result<ToHfResult> write_hf_folder(WeightFile& source, const ToHfOptions& options,
                                   ThreadPool& pool) {
  NIBBLE_TRY(const Family family, read_family(source));
  const Hparams& h = family.hparams;
  NIBBLE_TRY(HfConfig config, with_path_of(source, write_config(*family.architecture, h, source)));
  NIBBLE_TRY(const HfTensors tensors,
             with_path_of(source, HfTensors::plan(source, *family.architecture, h, config.names,
                                                  options.type)));
  NIBBLE_TRY(const auto texts, hf_texts(source.metadata(), h.n_ctx_train));
  config.config["torch_dtype"] = std::string(tensors.torch_dtype());
  add_token_ids(source.metadata(), config.config);
  NIBBLE_TRY(OutputFolder folder,
             OutputFolder::create(options.target, options.overwrite, "config.json"));
  NIBBLE_CHECK(folder.write("config.json", dump_json(config.config, 2) + "\n"));
  for (const auto& [name, text] : texts) NIBBLE_CHECK(folder.write(name.c_str(), text));
  source.read_ahead();
  SafetensorsWriter writer(folder.path(), tensors.plans(), options.max_shard_bytes);
  NIBBLE_CHECK(tensors.write(writer, pool, options.go_on));
  NIBBLE_CHECK(writer.finish());
  NIBBLE_CHECK(folder.commit());
  return ToHfResult{.n_bytes = writer.n_bytes(),
                    .n_tensors = tensors.plans().size(),
                    .n_files = writer.n_files(),
                    .torch_dtype = tensors.torch_dtype(),
                    .has_tokenizer = texts.contains("tokenizer.json"),
                    .left_out = left_out_tensors(source, *family.architecture, h)};
}

}  // namespace nibble

#include "core/pipeline/report.h"

namespace nibble {
namespace {

Json divergence_json(const Report& r) {
  const Divergence& d = *r.divergence;
  Json out = {{"text", r.text},
              {"scored", d.model.n_scored},
              {"windows", d.model.n_windows},
              {"perplexity", d.model.perplexity},
              {"std_error", d.model.std_error},
              {"source_perplexity", d.reference.perplexity},
              {"source_std_error", d.reference.std_error}};
  out.update(to_json(d));
  return out;
}

}  // namespace

Json report_json(const Report& r) {
  Json tensors = Json::array();
  for (const ReportTensor& t : r.tensors)
    tensors.push_back({{"name", t.name},
                       {"source_type", t.source_type},
                       {"type", t.type},
                       {"source_bytes", t.n_source_bytes},
                       {"bytes", t.n_bytes},
                       {"relative_error", t.relative_error}});
  Json out = {{"source", r.source},
              {"output", r.output},
              {"type", r.type},
              {"source_bytes", r.n_source_bytes},
              {"bytes", r.n_bytes},
              {"bits_per_weight", r.bpw},
              {"relative_error", r.relative_error},
              {"tensors", std::move(tensors)}};
  if (r.divergence) out["quality"] = divergence_json(r);
  return out;
}

}  // namespace nibble

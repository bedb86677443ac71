// What `quantize` and `convert` write, tensor by tensor, for readers and as JSON: types asked and
// used, bytes, what the weights lost, what importance was known.
#pragma once

#include <string>

#include "core/base/json.h"
#include "core/pipeline/quantize.h"

namespace nibble::cli {

struct Ledger {
  const WeightFile& source;
  std::span<const QuantizePlan> plans;
  const RecodeResult* result = nullptr;  // null: nothing was written
  bool with_errors = false;              // result has them
  const Imatrix* imatrix = nullptr;
  bool every_tensor = false;  // in the text; JSON has them all

  const std::vector<RecodeError>* errors_of(size_t plan) const {
    return result && with_errors ? &result->errors[plan] : nullptr;
  }
};
// Root mean square of what weights lost over that of the weights.
double relative_error(std::span<const RecodeError> errors);
std::string ledger_text(const Ledger& ledger);
Json ledger_json(const Ledger& ledger);  // an array, one object for each plan

}  // namespace nibble::cli

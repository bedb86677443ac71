// What the rules of the mixes (quant/recipe.h) ask of a model, read from its file.
#pragma once

#include <vector>

#include "formats/weight_file.h"
#include "quant/recipe.h"

namespace nibble {

// Borrows the metadata.
quant::RecipeModel recipe_model(const Metadata& metadata, bool has_imatrix);
std::vector<quant::RecipeTensor> recipe_tensors(const WeightFile& source);
// Matrices that are stacked in a tensor.
int64_t n_matrices(const Shape& shape);

}  // namespace nibble

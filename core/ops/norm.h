// Normalization of one row of n values; x and out may be the same.
#pragma once

namespace nibble {

// out[i] = x[i] / sqrt(mean(x^2) + eps) * weight[i]. Zhang 2019, arXiv:1910.07467. weight may be
// null (all ones).
void rms_norm(const float* x, const float* weight, int n, float eps, float* out);
// out[i] = (x[i] - mean) / sqrt(var + eps) * weight[i] + bias[i]. Ba 2016, arXiv:1607.06450.
// weight, bias may be null.
void layer_norm(const float* x, const float* weight, const float* bias, int n, float eps,
                float* out);

}  // namespace nibble

#include "core/pipeline/stored_rows.h"

#include <algorithm>
#include <cstring>

#include "formats/row_decoders.h"

namespace nibble {
namespace {

constexpr int64_t kSpan = 64;  // stored rows that are decoded at once where only some are wanted

const Mxfp4Decoder* mxfp4(const Matrix& m) { return dynamic_cast<const Mxfp4Decoder*>(m.decoder); }

bool can_copy(const Matrix& m, const quant::Format& format) {
  return m.decoder ? format.name == "mxfp4" && mxfp4(m) : m.format->name == format.name;
}

// Each row_step-th row of a decoder, [n, n_cols].
void decode_spread(const Matrix& m, int64_t first, int64_t n, float* out, size_t stride) {
  const int64_t each = std::max<int64_t>(1, kSpan / m.row_step);
  const auto n_cols = static_cast<size_t>(m.n_cols);
  std::vector<float> rows(static_cast<size_t>((each - 1) * m.row_step + 1) * n_cols);
  for (int64_t r = 0; r < n; r += each) {
    const int64_t count = std::min(each, n - r);
    m.decoder->decode(m.first_row + (first + r) * m.row_step, (count - 1) * m.row_step + 1,
                      rows.data(), n_cols);
    for (int64_t i = 0; i < count; ++i)
      std::copy_n(rows.data() + static_cast<size_t>(i * m.row_step) * n_cols, n_cols,
                  out + static_cast<size_t>(r + i) * stride);
  }
}

void decode_run(const Matrix& m, int64_t first, int64_t n, float* out, size_t stride) {
  if (m.decoder && m.row_step == 1)
    m.decoder->decode(m.first_row + first, n, out, stride);
  else if (m.decoder)
    decode_spread(m, first, n, out, stride);
  else
    for (int64_t r = 0; r < n; ++r)
      m.decode(static_cast<int>(first + r), out + static_cast<size_t>(r) * stride);
}

}  // namespace

OrderedRows::OrderedRows(std::vector<Matrix> parts, RowOrder order, const quant::Format& format)
    : parts_(std::move(parts)), order_(order), format_(format) {
  copies_ = std::ranges::all_of(parts_, [&](const Matrix& m) { return can_copy(m, format_); });
}

OrderedRows::Run OrderedRows::run_at(int64_t row, int64_t most) const {
  const int64_t n_rows = parts_[0].n_rows, r = row % n_rows;
  Run run{&parts_[static_cast<size_t>(row / n_rows)], order_.stored(r), 1};
  most = std::min(most, n_rows - r);
  while (run.n < most && order_.stored(r + run.n) == run.first + run.n) ++run.n;
  return run;
}

void OrderedRows::copy(int64_t first, int64_t n, std::byte* out) const {
  const size_t n_bytes = format_.row_bytes(parts_[0].n_cols);
  for (int64_t done = 0; done < n;) {
    const Run run = run_at(first + done, n - done);
    const Matrix& m = *run.part;
    if (const Mxfp4Decoder* codes = mxfp4(m))
      for (int64_t r = 0; r < run.n; ++r)
        codes->copy_gguf_row(m.first_row + (run.first + r) * m.row_step,
                             out + static_cast<size_t>(done + r) * n_bytes);
    else
      std::memcpy(out + static_cast<size_t>(done) * n_bytes,
                  m.data + static_cast<size_t>(run.first) * n_bytes,
                  static_cast<size_t>(run.n) * n_bytes);
    done += run.n;
  }
}

void OrderedRows::decode(int64_t first, int64_t n, float* out, size_t stride) const {
  for (int64_t done = 0; done < n;) {
    const Run run = run_at(first + done, n - done);
    decode_run(*run.part, run.first, run.n, out + static_cast<size_t>(done) * stride, stride);
    done += run.n;
  }
}

void KeyPartRows::decode(int64_t first, int64_t n, float* out, size_t stride) const {
  const int64_t kv_lora = kv_b_.shape.n_cols();
  std::vector<float> row(static_cast<size_t>(kv_lora));
  for (int64_t done = 0; done < n;) {
    const int64_t head = (first + done) / kv_lora, column = (first + done) % kv_lora;
    const int64_t count = std::min(n - done, kv_lora - column);
    for (int64_t r = 0; r < d_nope_; ++r) {
      decode_rows(kv_b_, head * (d_nope_ + d_v_) + r, 1, row.data());
      for (int64_t c = 0; c < count; ++c)
        out[static_cast<size_t>(done + c) * stride + static_cast<size_t>(r)] =
            row[static_cast<size_t>(column + c)];
    }
    done += count;
  }
}

}  // namespace nibble

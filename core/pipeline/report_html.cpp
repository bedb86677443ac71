// The report as a page: figures, two drawings in SVG, a table of all tensors.
#include <algorithm>
#include <cmath>
#include <map>

#include "core/pipeline/report.h"

namespace nibble {
namespace {

constexpr std::string_view kStyle =
    "body{font:15px/1.45 system-ui,sans-serif;max-width:62em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse}td,th{padding:.15em .8em;text-align:left}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}tr:nth-child(even){background:#f3f4f6}"
    "svg text{font:11px system-ui,sans-serif;fill:#444}";
// Colours of formats, in the order in which they appear (Okabe and Ito 2008: told apart by
// colour-blind readers too).
constexpr std::string_view kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                         "#e69f00", "#56b4e9", "#000000", "#999999"};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  return out;
}

std::string row(std::string_view what, std::string_view value) {
  return fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", what, escaped(value));
}

std::string figures(const Report& r) {
  std::string out = "<table>\n" + row("Source", r.source) + row("Output", r.output) +
                    row("Type", r.type) +
                    row("Size", fmt::format("{} bytes, {:.1f} % of the source's {}", r.n_bytes,
                                            100.0 * static_cast<double>(r.n_bytes) /
                                                static_cast<double>(r.n_source_bytes),
                                            r.n_source_bytes)) +
                    row("Bits per weight", fmt::format("{:.4f}", r.bpw)) +
                    row("Relative error of the weights", fmt::format("{:.6f}", r.relative_error));
  if (r.divergence) {
    const Divergence& d = *r.divergence;
    out += row("Text", fmt::format("{}, {} predictions", r.text, d.model.n_scored)) +
           row("Perplexity",
               fmt::format("{:.4f} ± {:.4f}, the source's {:.4f} ± {:.4f}", d.model.perplexity,
                           d.model.std_error, d.reference.perplexity, d.reference.std_error)) +
           row("KL divergence",
               fmt::format("mean {:.6f} ± {:.6f}, median {:.6f}, 99 % {:.6f}, 99.9 % {:.6f}, "
                           "largest {:.6f}",
                           d.kl_mean, d.kl_std_error, d.kl_median, d.kl_p99, d.kl_p999, d.kl_max)) +
           row("Same top token", fmt::format("{:.2f} %", 100 * d.top1));
  }
  return out + "</table>\n";
}

using Colours = std::map<std::string, std::string_view, std::less<>>;
Colours colours_of(const Report& r) {
  Colours colours;
  for (const ReportTensor& t : r.tensors)
    if (!colours.contains(t.type))
      colours[t.type] = kColours[std::min(colours.size(), std::size(kColours) - 1)];
  return colours;
}

// A dot for each tensor in the file's order, its error on a logarithmic scale.
std::string error_plot(const Report& r, const Colours& colours) {
  constexpr double kWidth = 900, kHeight = 260, kLeft = 60, kLowest = -5;
  const auto y_of = [&](double log) { return 10 + (kHeight - 30) * -log / -kLowest; };
  std::string out = fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Relative error of each tensor\">\n",
      kWidth, kHeight);
  for (int e = 0; e >= kLowest; --e)
    out += fmt::format(
        "<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"#ddd\"/>"
        "<text x=\"4\" y=\"{3:.1f}\">10^{4}</text>\n",
        kLeft, kWidth, y_of(e), y_of(e) + 4, e);
  const double step =
      (kWidth - kLeft - 10) / static_cast<double>(std::max<size_t>(r.tensors.size(), 1));
  for (size_t i = 0; i < r.tensors.size(); ++i) {
    const ReportTensor& t = r.tensors[i];
    if (!(t.relative_error > 0)) continue;
    out += fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"><title>{} {} {:.6f}</title>"
        "</circle>\n",
        kLeft + step * (static_cast<double>(i) + 0.5),
        y_of(std::clamp(std::log10(t.relative_error), kLowest, 0.0)), colours.at(t.type),
        escaped(t.name), escaped(t.type), t.relative_error);
  }
  return out + "</svg>\n";
}

// A bar for each format: its share of the bytes.
std::string size_plot(const Report& r, const Colours& colours) {
  constexpr double kWidth = 900, kBar = 24, kLeft = 80, kMost = 600;
  std::map<std::string, uint64_t> bytes;
  uint64_t most = 1;
  for (const ReportTensor& t : r.tensors) most = std::max(most, bytes[t.type] += t.n_bytes);
  std::string out =
      fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Bytes by format\">\n",
                  kWidth, kBar * static_cast<double>(bytes.size()) + 4);
  double y = 2;
  for (const auto& [type, n] : bytes) {
    const double width = kMost * static_cast<double>(n) / static_cast<double>(most);
    out += fmt::format(
        "<text x=\"4\" y=\"{:.1f}\">{}</text><rect x=\"{}\" y=\"{:.1f}\" width=\"{:.1f}\" "
        "height=\"{}\" fill=\"{}\"/><text x=\"{:.1f}\" y=\"{:.1f}\">{} bytes</text>\n",
        y + 14, escaped(type), kLeft, y, width, kBar - 6, colours.at(type), kLeft + width + 8,
        y + 14, n);
    y += kBar;
  }
  return out + "</svg>\n";
}

std::string tensor_table(const Report& r) {
  std::string out =
      "<table>\n<tr><th>Tensor</th><th>From</th><th>To</th><th>Bytes</th><th>Relative error</th>"
      "</tr>\n";
  for (const ReportTensor& t : r.tensors)
    out += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{:.6f}</td>"
        "</tr>\n",
        escaped(t.name), escaped(t.source_type), escaped(t.type), t.n_bytes, t.relative_error);
  return out + "</table>\n";
}

}  // namespace

std::string report_html(const Report& r) {
  const Colours colours = colours_of(r);
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>"
      "<style>{}</style></head><body>\n<h1>{}</h1>\n{}<h2>Relative error of each tensor</h2>\n{}"
      "<h2>Bytes by format</h2>\n{}<h2>Tensors</h2>\n{}</body></html>\n",
      escaped(r.output), kStyle, escaped(r.output), figures(r), error_plot(r, colours),
      size_plot(r, colours), tensor_table(r));
}

}  // namespace nibble

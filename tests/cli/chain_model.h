// A model whose next token depends on the last one alone, as a table says: weights that make
// generated text exact. Byte-level BPE with merges for the answers' words alone, so nearly each
// byte of a prompt is one token.
#pragma once

#include <filesystem>

#include "formats/metadata_draft.h"

namespace nibble::tests {

// The last byte of the prompt chooses the answer:
//   a  Hello world!      ends at <|end|>
//   t  one two
//   e  U+00E9            in two tokens
//   m  U+1F600           in four tokens
//   u  byte FF, "?"      no UTF-8
//   o  " again" for ever
//   d  random digits 1 to 6 for ever
//   s  nothing           the other end token, <|stop|>, comes at once
//   N  not a number
struct ChainOptions {
  bool chat_template = true;  // user and system texts as they stand behind <|user|>, <|system|>;
                              // answers end with <|end|>
  int n_ctx = 256;            // trained
  bool other_vocabulary = false;                   // " two" is spelt " TWO"
  bool finite = false;                             // N too is a number
  bool thinks = false;                             // only a, and q: <think>hmm</think>Hello world!
  void (*declare)(MetadataDraft& keys) = nullptr;  // further metadata
  const char* unused_tensor = nullptr;             // the name of one that no family knows
};
void write_chain_model(const std::filesystem::path& target, const ChainOptions& options = {});

// Two layers with real attention and random weights: no sense, but every kernel is used.
struct RandomOptions {
  const char* format = "q4_k";  // of the matrices
  int n_ff = 512;
};
void write_random_model(const std::filesystem::path& target, const RandomOptions& options = {});

}  // namespace nibble::tests
